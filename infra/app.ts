import { exampleApp } from './example-app';

// The CDK CLI says where it wants the result; run by hand, it lies where the CLI would look for it.
exampleApp({ outdir: process.env['CDK_OUTDIR'] ?? 'cdk.out' }).synth();
