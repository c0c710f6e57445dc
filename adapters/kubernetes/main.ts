import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { systemClock } from '../../client/clock';
import { adapterHandler } from '../handler';
import { KubernetesAdapter } from './adapter';
import { kubernetesDefinition } from './definition';

/** Any client has found out, lazily, who the function is and where; nothing is sent with this one. */
const { region, credentials } = new SecretsManagerClient().config;

/** The function of an application that is a workload in Kubernetes. */
export const handler = adapterHandler(
  kubernetesDefinition,
  (settings) => new KubernetesAdapter(settings, { region, credentials, clock: systemClock }),
);
