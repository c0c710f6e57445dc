import { createContainerService } from '../../local/ecs/ecs-service';
import { createEvents } from '../../local/events/events-service';
import { ScaledClock } from '../../local/kernel/clock';
import type { Service, Surroundings } from '../../local/kernel/service';
import { createKeyManagement } from '../../local/kms/service';
import { LambdaService } from '../../local/lambda/lambda-service';
import { createLogs } from '../../local/logs/logs-service';
import { createRelationalDatabases } from '../../local/rds/service';
import { RoleStore } from '../../local/iam/role-store';
import { createIdentityManagement } from '../../local/iam/service';
import { UserStore } from '../../local/iam/user-store';
import { createSecretsManager } from '../../local/secrets-manager/service';
import { createSns } from '../../local/sns/sns-service';
import { createSqs } from '../../local/sqs/sqs-service';
import { createSystemsManager } from '../../local/ssm/systems-manager';
import { createStepFunctions } from '../../local/step-functions/service';
import { createTokenService } from '../../local/sts/service';

/** Every service of the embedded cloud, built to be looked at: none of them is called. */
export function embeddedServices(): readonly Service[] {
  const where = { account: '111122223333', region: 'us-east-1', partition: 'aws' } as const;
  const clock = new ScaledClock();
  const uncalled = () => {
    throw new Error('services are looked at here, not called');
  };
  const surroundings: Surroundings = { ...where, clock, authorize: uncalled, callService: uncalled };
  const roles = new RoleStore({ ...where, clock });
  return [
    createSecretsManager(surroundings),
    createStepFunctions(surroundings, { assumeRole: uncalled }),
    new LambdaService(surroundings, {
      endpoint: uncalled,
      assume: uncalled,
      appendLog: uncalled,
      locateCode: uncalled,
    }),
    createEvents({ surroundings, assumeRole: uncalled }),
    createSns({ surroundings, authorizeKeyUse: uncalled }),
    createSqs({ surroundings, authorizeKeyUse: uncalled, endpoint: uncalled }),
    createSystemsManager(surroundings),
    createRelationalDatabases(surroundings),
    createContainerService(surroundings),
    createLogs(surroundings),
    createKeyManagement(surroundings),
    createTokenService(surroundings, roles),
    createIdentityManagement(surroundings, new UserStore({ ...where, clock, realTime: clock })),
  ];
}
