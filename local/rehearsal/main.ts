import { ServerMissing } from '../targets/debian';
import { PostgresMissing } from '../targets/postgres-missing';
import { commandIn } from './hold';
import { OptionInvalid, parseOptions, PortTaken, usage } from './options';
import { printAlert, printReport } from './print-report';
import { lines, silence } from './progress';
import { startRehearsal, type Rehearsal } from './rehearsal';
import { exitCodeOf } from './report';

/** How often somebody who stays is told of new alerts. */
const alertsEveryMs = 200;

/** `npm start`: rehearses rotations, prints what happened, and on a terminal stays until Ctrl-C. */
async function main(): Promise<number> {
  const startedAt = Date.now() - performance.now();
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const stopped = new Promise<void>((resolve) => {
    // Ctrl-C may arrive twice, from the terminal and from the command that started this one.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    // Whoever read the output is gone (EPIPE, as after `| head`): nobody is left to go on for.
    process.stdout.on('error', () => resolve());
  });
  let interrupted = false;
  void stopped.then(() => (interrupted = true));
  const progress = options.json ? silence : lines(process.stdout);
  const rehearsal = await startRehearsal(options, progress).catch((error: unknown) => {
    // Ctrl-C ends the synthesis too, and that is no failure to tell of.
    if (interrupted) return undefined;
    throw error;
  });
  if (rehearsal === undefined) return 130;
  try {
    const report = await Promise.race([rehearsal.run(startedAt), stopped]);
    if (report === undefined) return 130;
    process.stdout.write(
      options.json ? `${JSON.stringify(report, null, 2)}\n` : `\n${printReport(report)}\n`,
    );
    if (options.keep || (process.stdout.isTTY && !options.json)) {
      const { endpoint, keys } = rehearsal;
      // The report stays alone on standard output.
      const out = options.json ? process.stderr : process.stdout;
      out.write(
        [
          '',
          'The embedded cloud stays until Ctrl-C. From another terminal:',
          `  export AWS_ENDPOINT_URL=${endpoint} AWS_DEFAULT_REGION=us-east-1`,
          `  export AWS_ACCESS_KEY_ID=${keys.accessKeyId} AWS_SECRET_ACCESS_KEY=${keys.secretAccessKey}`,
          // While a rotation is held another one would be refused.
          `  ${rehearsal.deciding ?? `aws secretsmanager rotate-secret --secret-id ${report.secret}`}`,
          `  aws stepfunctions list-executions --state-machine-arn ${rehearsal.stateMachineArn}`,
          '',
        ].join('\n'),
      );
      const telling = tellAlerts(rehearsal, report.alerts.length, out);
      await stopped;
      clearInterval(telling);
    }
    return exitCodeOf(report);
  } finally {
    await rehearsal.stop();
  }
}

/** Prints the alerts that come from now on, behind the first `told` ones, each with the command that it needs. */
function tellAlerts(rehearsal: Rehearsal, told: number, out: NodeJS.WriteStream): NodeJS.Timeout {
  let count = told;
  return setInterval(() => {
    const { alerts } = rehearsal;
    for (const alert of alerts.slice(count)) {
      const command = commandIn(alert);
      // One that was worded plainly has a bare token.
      const hint = command === undefined || alert.includes(command) ? [] : ['', `  ${command}`];
      out.write(`${['', printAlert(alert), ...hint].join('\n')}\n\n`);
    }
    count = alerts.length;
  }, alertsEveryMs);
}

/** What the user has to know: of a fault of this machine or of the command line that alone, of any other where it arose. */
function told(error: unknown): string {
  if (error instanceof OptionInvalid) return `${error.message}\n\n${usage}`;
  if (error instanceof ServerMissing || error instanceof PostgresMissing || error instanceof PortTaken)
    return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${told(error)}\n`);
    process.exit(1);
  },
);
