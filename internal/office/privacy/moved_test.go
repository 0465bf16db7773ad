package privacy_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// giftFrom settles a gift of an address.
func giftFrom(h *program.Program, address string) donation.Donation {
	f := program.ValidForm()
	f.Contact.Email = address
	return h.SettledGift(f)
}

// moveTo corrects the address of a gift, once for each address.
func moveTo(t *testing.T, h *program.Program, d donation.Donation, addresses ...string) {
	t.Helper()
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
	require.NoError(t, err)
	for _, to := range addresses {
		require.NoError(t, mail.Resender{Receipts: h.Receipts, Queue: h.Queue}.Redirect(t.Context(), latest[d.ID], to, "staff"))
	}
}

// requestOf requests the erasure of the donor with an address.
func requestOf(t *testing.T, h *program.Program, address string) privacy.Erasure {
	t.Helper()
	donor := uuid.MustParse(h.Lines(`SELECT id::text FROM donor WHERE email = $1`, address)[0])
	e, err := h.Privacy.Request(t.Context(), privacy.ErasureRequest{Donors: []uuid.UUID{donor}, Addresses: []string{address}, Language: "en", RequestedBy: "donor"})
	require.NoError(t, err)
	return e
}

// namedDonors returns the addresses of the donors who were not erased.
func namedDonors(h *program.Program) []string {
	return h.Lines(`SELECT email FROM donor WHERE email NOT LIKE 'forgotten-%' ORDER BY email`)
}

// TestErasureTakesMistypedAddresses: an erasure by the server's role also takes the addresses that gifts of the person
// had before they were corrected. It leaves an address with a gift of its own, here or at another legal entity, one
// whose reader signed in, and one whose gift moved to somebody else.
func TestErasureTakesMistypedAddresses(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	moveTo(t, h, giftFrom(h, "anna@exmaple.org"), "anne@example.org", "ana@example.org")
	giftFrom(h, "stranger@example.org")
	moveTo(t, h, giftFrom(h, "stranger@example.org"), "ana@example.org")
	moveTo(t, h, giftFrom(h, "reader@example.org"), "ana@example.org")
	h.Exec(`INSERT INTO mailbox (email, person_id, proved_at) VALUES ('reader@example.org', gen_random_uuid(), now())`)
	moveTo(t, h, giftFrom(h, "bob@exmaple.org"), "bob@example.org")
	moveTo(t, h, giftFrom(h, "elsewhere@example.org"), "ana@example.org")
	h.Exec(`ALTER TABLE donor DISABLE TRIGGER USER`)
	h.Exec(`ALTER TABLE donation DISABLE TRIGGER USER`)
	h.Exec(`WITH other AS (SELECT d.* FROM donation d JOIN donor o ON o.id = d.donor_id WHERE d.entity_id = (SELECT entity_id FROM donor LIMIT 1) LIMIT 1),
		entity AS (SELECT id FROM legal_entity WHERE id <> (SELECT entity_id FROM other) LIMIT 1)
		INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
		SELECT '00000000-0000-4000-8000-0000000000aa', entity.id, 'elsewhere@example.org', 'Eva', 'E', 'en', now() FROM entity`)
	h.Exec(`INSERT INTO donation SELECT r.* FROM donation d JOIN donor o ON o.id = '00000000-0000-4000-8000-0000000000aa'
		CROSS JOIN LATERAL jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid(), 'donor_id', o.id, 'public_ref', md5('x'), 'entity_id', o.entity_id,
		'organisation_id', (SELECT id FROM organisation WHERE entity_id = o.entity_id LIMIT 1), 'status', 'processing')) r LIMIT 1`)
	e := requestOf(t, h, "ana@example.org")
	h.AgeErasures()
	require.NoError(t, h.Privacy.Erase(t.Context(), e.ID))
	require.Equal(t, []string{"bob@example.org", "bob@exmaple.org", "elsewhere@example.org", "elsewhere@example.org", "reader@example.org", "stranger@example.org"}, namedDonors(h))
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, []string{"anna@exmaple.org", "anne@example.org", "ana@example.org"}))
	require.Equal(t, []string{"3"}, h.Lines(`SELECT people::text FROM erasure_done`), "each counts")
	require.Empty(t, h.Lines(`SELECT subject FROM check_erased_person`))
}

// TestMistypedAddressOfAnEarlierErasure: the previous release erased the person and left the mistyped address. A17
// names the donor until the erasure is done again.
func TestMistypedAddressOfAnEarlierErasure(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := giftFrom(h, "anna@exmaple.org")
	moveTo(t, h, d, "ana@example.org")
	e := requestOf(t, h, "ana@example.org")
	_, err := h.OwnersPrivacy().Prepare(t.Context(), 10)
	require.NoError(t, err)
	h.Exec(`SELECT erase_people($1, ARRAY[]::text[])`, e.ID)
	h.Exec(`UPDATE erasure SET done_at = now()`)
	require.Equal(t, []string{"donor " + d.DonorID.String()}, h.Lines(`SELECT subject FROM check_erased_person`))
	h.AgeErasures()
	require.NoError(t, h.Privacy.Erase(t.Context(), e.ID), "the server's role adds nobody to an erasure that was done")
	require.Equal(t, []string{"anna@exmaple.org"}, namedDonors(h))
	require.NoError(t, h.OwnersPrivacy().Erase(t.Context(), e.ID))
	require.Empty(t, namedDonors(h))
	require.Empty(t, h.Lines(`SELECT subject FROM check_erased_person`))
}

// TestStrangerGivesDuringAnErasure: the reader of the mistyped address begins a gift after the erasure has looked and
// before it has its locks. The donor stays.
func TestStrangerGivesDuringAnErasure(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	moveTo(t, h, giftFrom(h, "stranger@example.org"), "ana@example.org")
	e := requestOf(t, h, "ana@example.org")
	_, err := h.OwnersPrivacy().Prepare(t.Context(), 10)
	require.NoError(t, err)
	h.Exec(`INSERT INTO sign_in (id, email, person_id, language, browser_hash) VALUES (gen_random_uuid(), 'ana@example.org', gen_random_uuid(), 'en', sha256('x'))`)
	first, err := h.DB.Owner.Beginx()
	require.NoError(t, err)
	defer func() { _ = first.Rollback() }()
	_, err = first.Exec(`SELECT FROM sign_in FOR UPDATE`)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- h.OwnersPrivacy().Erase(t.Context(), e.ID) }()
	waitForLocks(t, h, 1)
	f := program.ValidForm()
	f.Contact.Email = "stranger@example.org"
	h.StartedGift(f)
	require.NoError(t, first.Commit())
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		require.NoError(t, errors.New("the erasure does not end"))
	}
	require.Equal(t, []string{"stranger@example.org"}, namedDonors(h))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donation_contact WHERE email = 'stranger@example.org'`))
}
