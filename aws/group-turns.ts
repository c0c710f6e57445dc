import {
  DeleteParameterCommand,
  GetParameterCommand,
  paginateGetParametersByPath,
  PutParameterCommand,
  SSMClient,
  type Parameter,
} from '@aws-sdk/client-ssm';
import { groupTurns } from '../domain/names';
import { parseHolder, writeHolder, type Holder, type Turn } from '../domain/turns';
import { isNamed } from './named';
import { promptly } from './promptly';

/** Where the turns of rotation groups are kept. */
export interface TurnStore {
  /** All turns of a group, in no order; may be out of date. */
  list(group: string): Promise<readonly Turn[]>;
  /** One turn by its number; undefined where it is not there, or not seen yet. */
  read(group: string, number: number): Promise<Turn | undefined>;
  /**
   * Creates a turn, and never overwrites one. It says nothing about who has it now: another may have been first, and an
   * earlier try whose answer was lost may have been one's own. Reading it tells.
   */
  take(group: string, number: number, holder: Holder): Promise<void>;
  /** Removes a turn; absence is a success. */
  remove(group: string, number: number): Promise<void>;
}

/** Makes a client that keeps turns as parameters of the standard tier. */
export function turnParameters(): TurnStore {
  const client = new SSMClient(promptly);
  const nameOf = (group: string, number: number) => `${groupTurns(group)}/${number}`;
  return {
    async list(group) {
      const turns: Turn[] = [];
      const pages = paginateGetParametersByPath({ client }, { Path: groupTurns(group), Recursive: false });
      for await (const page of pages) turns.push(...(page.Parameters ?? []).flatMap(turnOf));
      return turns;
    },
    async read(group, number) {
      try {
        const { Parameter } = await client.send(new GetParameterCommand({ Name: nameOf(group, number) }));
        return Parameter === undefined ? undefined : turnOf(Parameter)[0];
      } catch (error) {
        if (isNamed(error, 'ParameterNotFound')) return undefined;
        throw error;
      }
    },
    async take(group, number, holder) {
      try {
        await client.send(
          new PutParameterCommand({
            Name: nameOf(group, number),
            Value: writeHolder(holder),
            Type: 'String',
            Tier: 'Standard',
            Overwrite: false,
          }),
        );
      } catch (error) {
        if (!isNamed(error, 'ParameterAlreadyExists', 'TooManyUpdates')) throw error;
      }
    },
    async remove(group, number) {
      try {
        await client.send(new DeleteParameterCommand({ Name: nameOf(group, number) }));
      } catch (error) {
        if (!isNamed(error, 'ParameterNotFound')) throw error;
      }
    },
  };
}

/** The turn that a parameter is; none where its name is no number. */
function turnOf({ Name = '', Value = '', LastModifiedDate }: Parameter): Turn[] {
  const level = Name.split('/').at(-1) ?? '';
  if (!/^[1-9]\d{0,14}$/.test(level)) return [];
  return [
    { number: Number(level), takenAt: LastModifiedDate?.getTime() ?? Date.now(), holder: parseHolder(Value) },
  ];
}
