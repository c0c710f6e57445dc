import { targets } from '../../local/targets/registry';
import { engineOf } from '../../rotators/bundling';
import { rotatorNames, rotators } from '../../rotators/registry';
import { rotatorContract } from './contract';

const notRun = (process.env['ROTOR_NOT_RUN'] ?? '').split(',');

for (const name of rotatorNames)
  if (notRun.includes(engineOf(name)))
    test.skip(`${name} keeps the contract of rotators: not run, because its server is missing`, () =>
      undefined);
  else rotatorContract(name, rotators[name], targets[name]);
