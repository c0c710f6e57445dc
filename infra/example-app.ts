import { App, type AppProps, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { deploymentEnvironment, readChoices } from './example-choices';
import { RotorConsumers } from './rotor-consumers';
import { RotorStack } from './rotor-stack';

/** The example as an app, checked by cdk-nag; without an account in the environment it fits any. */
export function exampleApp(props: AppProps = {}): App {
  const app = new App({
    analyticsReporting: false,
    ...props,
    // What CloudFormation would refuse is an error here too, not a warning.
    context: { '@aws-cdk/core:validateAgainstDefaultRules': true, ...props.context },
  });
  const choices = readChoices(app.node);
  const env = deploymentEnvironment();
  const rotor = new RotorStack(app, 'RotorStack', choices, { env });
  // The bus has to be there before rules stand on it; nothing else is shared.
  new RotorConsumers(app, 'RotorConsumers', choices, { env }).addStackDependency(rotor);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  return app;
}
