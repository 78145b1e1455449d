// What three.js and Babylon make of a .glb, .vrm or .fbx, behind one set of questions. Runs in the browser's page.
//     load(engine, url, size, view) -> shapes; positions(values, seconds) -> Float32Array of every vertex, world, m
// values: {name: 0..1} set by hand, as a page does that follows a face; seconds: the animation there; null: neither.
export async function load(engine, url, size, view) {
  const opened = await (engine === 'three' ? three : babylon)(url, size, view);
  window.avatar = opened;
  const { version, shapes, duration, vrm } = opened;
  return { version, shapes, duration, vrm };
}

// The head is the largest mesh that is no hair.
function headFirst(meshes, count) {
  return meshes.sort((a, b) => /hair/i.test(a.name) - /hair/i.test(b.name) || count(b) - count(a));
}

function canvas(size) {
  const made = Object.assign(document.createElement('canvas'), { width: size, height: size });
  document.body.replaceChildren(made);
  return made;
}

// view: {eye, target, up, fov} head axes, m, rad; suns: [{from, energy}] in the camera's axes, as Blender's; sky: linear RGB.
async function three(url, size, view) {
  const THREE = await import('three');
  const kind = url.endsWith('.fbx') ? 'FBXLoader' : 'GLTFLoader';
  const loader = new (await import(`three/addons/loaders/${kind}.js`))[kind]();
  let vrm = null;
  if (url.endsWith('.vrm')) {
    const { VRMLoaderPlugin } = await import('/modules/@pixiv/three-vrm/lib/three-vrm.module.js');
    loader.register((parser) => new VRMLoaderPlugin(parser));
  }
  const model = await loader.loadAsync(url);
  if (model.userData.vrm) {
    const { expressionManager, humanoid, lookAt } = (vrm = model.userData.vrm);
    vrm = { expressions: expressionManager.expressions.length, bones: Object.keys(humanoid.humanBones).length,
      look: lookAt !== undefined };
  }
  const root = model.scene ?? model;
  const meshes = [];
  root.traverse((item) => item.isSkinnedMesh && meshes.push(item));
  headFirst(meshes, (mesh) => mesh.geometry.attributes.position.count);
  const renderer = new THREE.WebGLRenderer({ canvas: canvas(size), antialias: true, preserveDrawingBuffer: true });
  renderer.setSize(size, size, false);
  const scene = new THREE.Scene();
  const camera = new THREE.PerspectiveCamera((view.fov * 180) / Math.PI, 1, 0.01, 10);
  camera.up.set(...view.up);
  camera.position.set(...view.eye);
  camera.lookAt(...view.target);
  scene.add(root, camera, new THREE.AmbientLight(new THREE.Color(...view.sky), Math.PI));
  scene.background = new THREE.Color(...view.sky);
  for (const { from, energy } of view.suns) {
    const sun = new THREE.DirectionalLight(0xffffff, energy);
    sun.position.set(...from);
    camera.add(sun, sun.target);
  }
  const mixer = new THREE.AnimationMixer(root);
  const clip = model.animations[0];
  const action = clip && mixer.clipAction(clip).setLoop(THREE.LoopOnce, 1);
  if (clip) action.clampWhenFinished = true; // the last frame is the last, not the first again
  if (clip) action.play();
  return {
    version: THREE.REVISION,
    vrm,
    shapes: Object.keys(meshes[0].morphTargetDictionary),
    duration: clip ? clip.duration : 0,
    pose(values, seconds) {
      if (clip) action.reset().play();
      if (seconds !== null) mixer.setTime(seconds);
      else mixer.stopAllAction();
      for (const mesh of meshes) {
        if (values === null || !mesh.morphTargetInfluences) continue;
        mesh.morphTargetInfluences.fill(0);
        for (const [name, value] of Object.entries(values))
          if (name in mesh.morphTargetDictionary) mesh.morphTargetInfluences[mesh.morphTargetDictionary[name]] = value;
      }
      root.updateMatrixWorld(true);
    },
    positions() {
      const [mesh, point] = [meshes[0], new THREE.Vector3()];
      const found = new Float32Array(3 * mesh.geometry.attributes.position.count);
      for (let index = 0; 3 * index < found.length; index++)
        mesh.getVertexPosition(index, point).applyMatrix4(mesh.matrixWorld).toArray(found, 3 * index);
      return found;
    },
    draw: () => renderer.render(scene, camera),
  };
}

async function babylon(url, size, view) {
  const B = window.BABYLON;
  const engine = new B.Engine(canvas(size), true, { preserveDrawingBuffer: true });
  const scene = new B.Scene(engine);
  scene.useRightHandedSystem = true;
  const camera = new B.FreeCamera('camera', B.Vector3.FromArray(view.eye), scene);
  camera.upVector = B.Vector3.FromArray(view.up);
  camera.setTarget(B.Vector3.FromArray(view.target));
  [camera.fov, camera.minZ, camera.maxZ] = [view.fov, 0.01, 10];
  const sky = new B.Color3(...view.sky);
  scene.clearColor = sky.toGammaSpace().toColor4(1);
  const dome = new B.HemisphericLight('sky', B.Vector3.Up(), scene);
  [dome.diffuse, dome.groundColor, dome.specular] = [sky, sky, B.Color3.Black()];
  const turn = camera.getWorldMatrix().getRotationMatrix();
  for (const { from, energy } of view.suns) {
    const way = B.Vector3.TransformNormal(B.Vector3.FromArray(from).scale(-1), turn).normalize();
    new B.DirectionalLight('sun', way, scene).intensity = energy;
  }
  const model = await B.SceneLoader.ImportMeshAsync('', '', url, scene, null, '.glb');
  const meshes = headFirst(model.meshes.filter((item) => item.morphTargetManager), (mesh) => mesh.getTotalVertices());
  const [clip] = model.animationGroups;
  if (clip) clip.stop();
  await scene.whenReadyAsync();
  const targets = (mesh) => Array.from({ length: mesh.morphTargetManager.numTargets }, (_, index) =>
    mesh.morphTargetManager.getTarget(index));
  return {
    version: B.Engine.Version,
    shapes: targets(meshes[0]).map((target) => target.name),
    duration: clip ? (clip.to - clip.from) / 60 : 0,
    pose(values, seconds) {
      if (clip && seconds !== null) {
        clip.start(false, 1, clip.from, clip.to);
        clip.pause();
        clip.goToFrame(clip.from + 60 * seconds);
      }
      for (const mesh of values === null ? [] : meshes)
        for (const target of targets(mesh)) target.influence = values[target.name] ?? 0;
      scene.render();
    },
    positions() {
      const [mesh] = meshes;
      const local = mesh.getPositionData(true, true);
      const world = mesh.computeWorldMatrix(true);
      const [found, point] = [new Float32Array(local.length), new B.Vector3()];
      for (let index = 0; index < local.length; index += 3) {
        B.Vector3.TransformCoordinatesFromFloatsToRef(...local.slice(index, index + 3), world, point);
        point.toArray(found, index);
      }
      return found;
    },
    draw: () => scene.render(),
  };
}

export function positions(values, seconds) {
  window.avatar.pose(values, seconds);
  const bytes = new Uint8Array(window.avatar.positions().buffer);
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

export function picture(values, seconds) {
  window.avatar.pose(values, seconds);
  window.avatar.draw();
  return document.querySelector('canvas').toDataURL('image/png').split(',')[1];
}
