// Good JSON with wrong contents: fields and phone numbers. Each is refused with a message that names
// the fault, and none of it makes a call.
import assert from 'node:assert/strict';
import { assertCreated, assertError } from '../lib/expect.mjs';
import { customerOf, good, refuseEach, withoutACall } from '../lib/refusals.mjs';
import { suite } from '../lib/suite.mjs';

function fields(test) {
  const wrong = [1, 1.5, true, [], {}, ['+919876543210']];

  test(
    'a field of a wrong type gets 400 that names it',
    withoutACall(async ({ customer }) => {
      const cases = [];
      for (const field of ['agent_id', 'contact_number', 'contact_name', 'contact_email', 'scheduled_at']) {
        for (const value of wrong)
          cases.push([
            `${field} ${JSON.stringify(value)}`,
            JSON.stringify(good(customer, { [field]: value })),
            field,
          ]);
      }
      for (const value of [1, true, [], 'x', '{}', [{}]]) {
        cases.push([
          `additional_info ${JSON.stringify(value)}`,
          JSON.stringify(good(customer, { additional_info: value })),
          'additional_info',
        ]);
      }
      await refuseEach(customer, cases);
    }),
  );

  test(
    'a missing or null field that is required gets 400 that names it',
    withoutACall(async ({ customer }) => {
      const cases = [['no field at all', '{}', /agent_id|contact_number/]];
      for (const field of ['agent_id', 'contact_number']) {
        cases.push([`without ${field}`, JSON.stringify(good(customer, { [field]: undefined })), field]);
        cases.push([`${field} null`, JSON.stringify(good(customer, { [field]: null })), field]);
      }
      await refuseEach(customer, cases);
    }),
  );

  test(
    'an unknown field gets 400 that names it',
    withoutACall(({ customer }) =>
      refuseEach(customer, [
        ['a typo', JSON.stringify(good(customer, { contact_nmae: 'Raj' })), 'contact_nmae'],
        ['another case', JSON.stringify(good(customer, { Contact_name: 'Raj' })), 'Contact_name'],
        ['a field of ours', JSON.stringify(good(customer, { status: 'completed' })), 'status'],
        ['a prototype', JSON.stringify(good(customer)).replace(/}$/, ',"__proto__":{}}'), '__proto__'],
        ['an empty name', JSON.stringify(good(customer, { '': 1 })), 'nknown field'],
      ]),
    ),
  );

  test('texts over their length get 400, and at their length are taken', async ({ system }) => {
    const customer = await customerOf(system);
    const email = (n) => `${'a'.repeat(n - 12)}@example.com`;
    const post = (change) => customer.api.create(good(customer, change));
    assertCreated(await post({ contact_name: 'म'.repeat(200) }));
    assertError(await post({ contact_name: 'म'.repeat(201) }), 400, 'invalid_request', 'contact_name');
    assertCreated(await post({ contact_email: email(254) }));
    assertError(await post({ contact_email: email(255) }), 400, 'invalid_request', 'contact_email');
  });

  test(
    'an e-mail address that is none gets 400',
    withoutACall(({ customer }) =>
      refuseEach(
        customer,
        [
          'raj',
          '@company.com',
          'raj@',
          'raj@@company.com',
          'raj @company.com',
          'raj@company.com\r\nBcc: x@y',
          '',
        ].map((value) => [value, JSON.stringify(good(customer, { contact_email: value })), 'contact_email']),
      ),
    ),
  );

  test(
    'a scheduled_at that is no time, too old or too far gets 400',
    withoutACall(({ customer }) =>
      refuseEach(
        customer,
        [
          'tomorrow',
          '',
          '2024',
          '2024-01-27',
          '2024-01-27 03:02',
          '2024-01-27T03:02:00',
          '2024-13-01T00:00:00Z',
          '2024-02-30T00:00:00Z',
          '2026-01-01T24:00:00Z',
          '2026-01-01T00:00:00+24:00',
          '2026-01-01T00:00:00+0530',
          '1700000000',
          ' 2030-01-01T00:00:00Z',
          new Date(Date.now() - 310_000).toISOString(),
          new Date(Date.now() + 367 * 86_400_000).toISOString(),
          '0001-01-01T00:00:00Z',
          '9999-12-31T23:59:59Z',
        ].map((value) => [value, JSON.stringify(good(customer, { scheduled_at: value })), 'scheduled_at']),
      ),
    ),
  );

  test('a scheduled_at of four minutes ago or 365 days ahead is taken', async ({ system }) => {
    const customer = await customerOf(system);
    for (const offset of [-240_000, 365 * 86_400_000]) {
      assertCreated(
        await customer.api.create(
          good(customer, { scheduled_at: new Date(Date.now() + offset).toISOString() }),
        ),
      );
    }
  });
}

function numbers(test) {
  test(
    "a number of a wrong form gets 400 with the reference's sentence",
    withoutACall(({ customer }) =>
      refuseEach(
        customer,
        [
          '',
          '+',
          '9876543210',
          '09876543210',
          '919876543210',
          '00919876543210',
          '+9109876543210',
          '+910987654321',
          '+91 98765 43210',
          '+91-9876543210',
          '+91(98765)43210',
          ' +919876543210',
          '+919876543210 ',
          '+919876543210\n',
          '+91987654321',
          '+9198765432100',
          '+91987654321a',
          'tel:+919876543210',
          '＋919876543210',
          '+९१९८७६५४३२१०',
          '+14155552671',
          '+9234567890',
          '++919876543210',
          '+91+9876543210',
          '+91٩876543210',
          'sip:raj@company.com',
          '+91',
        ].map((value) => [
          value,
          JSON.stringify(good(customer, { contact_number: value })),
          'contact_number must be a valid +91 E.164 phone number.',
        ]),
      ),
    ),
  );

  test(
    'numbers of another length than ten digits, and area codes that do not exist, get 400',
    withoutACall(({ customer }) =>
      refuseEach(
        customer,
        [
          '+9118001234',
          '+911800123456789',
          '100',
          '112',
          '+91100',
          '+91112',
          '+911111111111',
        ].map((value) => [
          value,
          JSON.stringify(good(customer, { contact_number: value })),
          'contact_number',
        ]),
      ),
    ),
  );

  test('mobile numbers and landlines are taken', async ({ system }) => {
    const customer = await customerOf(system);
    for (const contact_number of [
      '+919876543210',
      '+916000000000',
      '+917012345678',
      '+918123456789',
      '+911123456789',
      '+912223456789',
      '+918023456789',
    ]) {
      const answer = await customer.api.create(good(customer, { contact_number }));
      assert.equal(answer.status, 201, `${contact_number}: ${answer.text}`);
    }
  });
}

export default suite('bad_input', { runs: 'core', width: 4 }, (test) => {
  fields(test);
  numbers(test);
});
