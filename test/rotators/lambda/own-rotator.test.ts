import { handler } from '../../../examples/own-rotator/handler';
import { startPartner, type Partner } from '../../../local/targets/lambda-partner';
import { ownRotatorContract } from '../../../rotators/lambda/contract-suite';

let partner: Partner;
let count = 0;

beforeAll(async () => {
  partner = await startPartner();
});
afterAll(() => partner.stop());

ownRotatorContract('the example of a team', {
  handler,
  settings: {
    principal: 'client',
    public: ['url'],
    generated: 'token',
    overlap: 'two-credentials',
    usage: true,
    admin: 'required',
  },
  provision: () => {
    count += 1;
    const client = `client-${String(count)}`;
    const { url } = partner;
    return Promise.resolve({
      secret: { url, client, token: partner.register(client) },
      admin: { url, client: 'admin', token: partner.register(`admin-${String(count)}`, true) },
      live: () => Promise.resolve(partner.accepted(client)),
      use: async ({ token }, application) => {
        const headers = { authorization: `Bearer ${String(token)}`, 'user-agent': application };
        await fetch(new URL('/orders', url), { headers });
      },
    });
  },
  wrong: (secret) => ({ ...secret, token: 'wrong-token-0123456789abcdef' }),
  unreachable: (secret) => ({ ...secret, url: 'http://127.0.0.1:9' }),
});
