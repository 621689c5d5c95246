// Plain JavaScript for any Node: the scripts need Node 24, which `npm ci` brings as a development dependency.
const needed = 24;
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error(`This needs Node ${needed} or newer and found ${process.versions.node}.`);
  console.error('Run `npm ci` (with the development dependencies): it brings Node 24, and npm scripts then use it.');
  process.exit(78);
}
