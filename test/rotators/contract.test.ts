import { targets } from '../../local/targets/registry';
import { rotatorNames, rotators } from '../../rotators/registry';
import { rotatorContract } from './contract';

for (const name of rotatorNames) rotatorContract(name, rotators[name], targets[name]);
