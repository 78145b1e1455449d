// Khronos' glTF validator on files: a line of JSON each. Needs npm's gltf-validator in $N2F_NODE_MODULES.
const fs = require('fs');
const { createRequire } = require('module');

const validator = createRequire(process.env.N2F_NODE_MODULES + '/')('gltf-validator');
(async () => {
  for (const path of process.argv.slice(2)) {
    const report = await validator.validateBytes(new Uint8Array(fs.readFileSync(path)));
    const { numErrors: errors, numWarnings: warnings, messages } = report.issues;
    console.log(JSON.stringify({ path, errors, warnings, messages: messages.slice(0, 5) }));
  }
})();
