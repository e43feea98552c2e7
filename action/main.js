'use strict';
// The action: reads its inputs as docker/build-push-action does, builds, and sets the outputs. Needs node alone.
// It runs in node and not in a shell because only such an action is given the variables of GitHub's cache service.
const {spawnSync} = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const {buildArguments} = require('./lib/arguments.js');
const {readInputs} = require('./lib/inputs.js');
const {findProgram} = require('./lib/program.js');
const {Failure, notice, setOutput} = require('./lib/workflow.js');

async function main() {
  const inputs = readInputs(process.env);
  const program = await findProgram(inputs, process.env);
  const temporary = fs.mkdtempSync(path.join(process.env.RUNNER_TEMP || os.tmpdir(), 'whittle-action-'));
  try {
    const files = {imageID: path.join(temporary, 'imageid'), metadata: path.join(temporary, 'metadata.json')};
    const {words, secrets} = buildArguments(inputs, process.env, files);
    const status = run(program, words, inputs.sudo, {...environment(), ...secrets});
    if (status !== 0) throw new Failure(`whittle ended with exit status ${status}`);
    report(files);
  } finally {
    fs.rmSync(temporary, {recursive: true, force: true});
  }
}

// Credentials of docker/login-action are in the home of the runner's user, whoever the program runs as.
function environment() {
  const variables = {...process.env};
  if (!variables.DOCKER_CONFIG && variables.HOME) {
    const directory = path.join(variables.HOME, '.docker');
    if (fs.existsSync(path.join(directory, 'config.json'))) variables.DOCKER_CONFIG = directory;
  }
  return variables;
}

function run(program, words, sudo, variables) {
  const isRoot = process.getuid() === 0;
  let command = [program, ...words];
  if (!isRoot && (sudo === 'true' || (sudo === 'auto' && canSudo()))) {
    command = ['sudo', '--non-interactive', '--preserve-env', '--', ...command];
  }
  process.stdout.write(`[command]${command.join(' ')}\n`);
  const result = spawnSync(command[0], command.slice(1), {stdio: 'inherit', env: variables});
  if (result.error) throw new Failure(`starting ${command[0]}: ${result.error.message}`);
  if (result.signal) throw new Failure(`whittle was ended by ${result.signal}`);
  return result.status;
}

function canSudo() {
  return spawnSync('sudo', ['--non-interactive', 'true'], {stdio: 'ignore'}).status === 0;
}

// Questions such as --call=check write no files.
function report(files) {
  if (fs.existsSync(files.imageID)) setOutput('imageid', fs.readFileSync(files.imageID, 'utf8').trim());
  if (!fs.existsSync(files.metadata)) return;
  const text = fs.readFileSync(files.metadata, 'utf8').trim();
  setOutput('digest', JSON.parse(text)['containerimage.digest'] || '');
  setOutput('metadata', text);
}

main().catch((error) => {
  if (!(error instanceof Failure)) notice('error', error.stack || String(error));
  else notice('error', error.message);
  process.exitCode = 1;
});
