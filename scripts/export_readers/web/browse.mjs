// Opens a .glb, .vrm or .fbx with three.js or Babylon in a headless Chromium and writes where every vertex stands, and a picture.
//     N2F_NODE_MODULES=... N2F_CHROMIUM=... node browse.mjs JOB.json
// JOB: {engine, file, out, size, view, poses: [{values, seconds}], picture: {values, seconds}}; out + .f32, .png, .json
import fs from 'fs';
import http from 'http';
import path from 'path';
import { createRequire } from 'module';
import { fileURLToPath } from 'url';

const modules = process.env.N2F_NODE_MODULES;
const puppeteer = createRequire(modules + '/')('puppeteer-core');
const job = JSON.parse(fs.readFileSync(process.argv[2]));
const model = '/a' + path.extname(job.file);
const here = path.dirname(fileURLToPath(import.meta.url));
const page = `<!doctype html><script type="importmap">{"imports": {
  "three": "/modules/three/build/three.module.js", "three/addons/": "/modules/three/examples/jsm/"}}</script>
  ${job.engine === 'babylon' ? '<script src="/modules/babylonjs/babylon.js"></script>' : ''}
  ${job.engine === 'babylon' ? '<script src="/modules/babylonjs-loaders/babylonjs.loaders.min.js"></script>' : ''}
  <body style="margin: 0"></body>`;
const kinds = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.glb': 'model/gltf-binary' };

const server = http.createServer((request, response) => {
  const url = decodeURIComponent(request.url.split('?')[0]);
  const file = url === model ? job.file : url.startsWith('/modules/') ? modules + url.slice(8) : here + url;
  if (url === '/') return response.writeHead(200, { 'Content-Type': 'text/html' }).end(page);
  if (!fs.existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': kinds[path.extname(file)] ?? 'application/octet-stream' });
  response.end(fs.readFileSync(file));
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const browser = await puppeteer.launch({
  executablePath: process.env.N2F_CHROMIUM,
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
  protocolTimeout: 600000,
});
try {
  const tab = await browser.newPage();
  const faults = [];
  tab.on('pageerror', (error) => faults.push(String(error)));
  tab.on('console', (line) => line.type() === 'error' && !/favicon/.test(line.location().url) && faults.push(line.text()));
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  const ask = (name, ...words) =>
    tab.evaluate(async (what, given) => (await import('/engines.mjs'))[what](...given), name, words);
  const loaded = await ask('load', job.engine, model, job.size, job.view);
  const file = fs.openSync(job.out + '.f32', 'w');
  for (const { values, seconds } of job.poses)
    fs.writeSync(file, Buffer.from(await ask('positions', values, seconds), 'base64'));
  fs.closeSync(file);
  if (job.picture) {
    const content = await ask('picture', job.picture.values, job.picture.seconds);
    fs.writeFileSync(job.out + '.png', Buffer.from(content, 'base64'));
  }
  fs.writeFileSync(job.out + '.json', JSON.stringify({ ...loaded, faults }));
} finally {
  await browser.close();
  server.close();
}
