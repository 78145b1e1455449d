// three.js reads a .glb and says where it puts every vertex: rest, each shape at 1, three times of the animation.
//     NODE_PATH=... node three_in_node.mjs FILE.glb OUT.json      three's own morphing and skinning, no WebGL
import fs from 'fs';
import { createRequire } from 'module';
import { pathToFileURL } from 'url';

const require = createRequire(process.env.N2F_NODE_MODULES + '/');
const THREE = await import(pathToFileURL(require.resolve('three')).href.replace('three.cjs', 'three.module.js'));
const { GLTFLoader } = await import(pathToFileURL(require.resolve('three/addons/loaders/GLTFLoader.js')).href);

globalThis.self = globalThis;
globalThis.createImageBitmap = async () => ({ width: 1, height: 1, close() {} });
const bytes = fs.readFileSync(process.argv[2]);
const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
const gltf = await new GLTFLoader().parseAsync(content, '');
const meshes = [];
gltf.scene.traverse((item) => item.isSkinnedMesh && meshes.push(item));
const mesh = meshes[0];

function positions() {
  gltf.scene.updateMatrixWorld(true);
  const point = new THREE.Vector3();
  const found = [];
  for (let index = 0; index < mesh.geometry.attributes.position.count; index++) {
    mesh.getVertexPosition(index, point).applyMatrix4(mesh.matrixWorld);
    found.push(point.x, point.y, point.z);
  }
  return found;
}

const out = { shapes: {}, frames: [] };
for (const [name, index] of Object.entries(mesh.morphTargetDictionary)) {
  mesh.morphTargetInfluences.fill(0);
  mesh.morphTargetInfluences[index] = 1;
  out.shapes[name] = positions();
}
mesh.morphTargetInfluences.fill(0);
out.rest = positions();
if (gltf.animations.length) {
  const mixer = new THREE.AnimationMixer(gltf.scene);
  const clip = gltf.animations[0];
  mixer.clipAction(clip).play();
  for (const share of [0.1, 0.5, 0.8]) {
    mixer.setTime(share * clip.duration);
    out.frames.push([share * clip.duration, positions()]);
  }
}
fs.writeFileSync(process.argv[3], JSON.stringify(out));
