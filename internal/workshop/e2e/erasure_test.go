package e2e

import (
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

// TestRestoredIsForgottenAgain erases people, loses the machine and restores a dump that is older than the erasure.
// With the list that was stored outside the database, they are erased in the restored database too, and the books do
// not change. (Row T28 of the promises.)
func TestRestoredIsForgottenAgain(t *testing.T) {
	t.Parallel()
	list := filepath.Join(t.TempDir(), "erasures")
	s := Start(t, Options{Settings: map[string]string{"ERASURES_FILE": list}})
	words := []string{"Canaria", "Joined", "Canary Lane", "5550123", "a note of the canary"}
	s.give("csio", "Elsewhere")
	s.give("csio", "Joined")
	gift := url.Values{
		"amount": {"20"}, "frequency": {"once"}, "first_name": {"Canaria"}, "last_name": {"Vogelsang"}, "email": {"canaria@donor.example"},
		"phone": {"+1 617 5550123"}, "address_line1": {"1 Canary Lane"}, "note": {"a note of the canary"},
	}
	for _, name := range contact.FieldNames() {
		if !gift.Has(name) {
			gift.Set(name, "Canary "+name)
			words = append(words, gift.Get(name))
		}
	}
	b := s.begin("csio", gift)
	require.NoError(t, s.Stripe().Pay(b.session, stripefake.GoodCard))
	s.waitStatus(b, "settled")
	s.waitForEmails(3)
	s.waitIdle()
	_, err := s.DB.Owner.Exec(`WITH person AS MATERIALIZED (SELECT gen_random_uuid() AS id)
		INSERT INTO mailbox SELECT address, id, now() FROM person, unnest(ARRAY['canaria@donor.example', 'joined@donor.example']) AS address`)
	require.NoError(t, err)
	seals := func() (hashes []string) {
		require.NoError(t, s.DB.Owner.Select(&hashes, `SELECT encode(hash, 'hex') FROM ledger_seal`))
		return hashes
	}
	testkit.Eventually(t, waitTimeout, func() error {
		if len(seals()) == 0 {
			return unexpected{"seals", "none", "some"}
		}
		return nil
	})
	s.Kill()
	dump := filepath.Join(t.TempDir(), "konbit.dump")
	runTool(t, "", "pg_dump", "--format=custom", "--file="+dump, "--dbname="+s.DB.OwnerURL)
	permanentData := func() []string {
		var lines []string
		require.NoError(t, s.DB.Owner.Select(&lines, `
			SELECT format('receipt %s-%s %s %s', year, number, facts->'amount'->>'minor', facts->>'charged_on') FROM receipt
			UNION ALL SELECT format('gift %s %s %s %s', id, amount, status, charged_at) FROM donation ORDER BY 1`))
		return append(lines, s.Konbit("ledger", "balance", "--json"), s.journal())
	}
	before, sealed := permanentData(), seals()
	for _, word := range words {
		require.NotEmpty(t, testkit.ColumnsContaining(t, s.DB.Owner, []string{word}), word)
	}
	s.Konbit("erasures", "add", "canaria@donor.example", "--now")
	require.Empty(t, testkit.ColumnsContaining(t, s.DB.Owner, words))
	require.Equal(t, before, permanentData())
	outside, err := os.ReadFile(list)
	require.NoError(t, err, "each erasure writes the list")
	for _, word := range append(words, "@") {
		require.NotContains(t, string(outside), word)
	}

	for name, apply := range map[string]func(){
		"by the command": func() {
			_, err := s.TryKonbit("doctor")
			require.ErrorContains(t, err, "some checks failed")
			s.Konbit("erasures", "apply", list)
		},
		"by the server itself": func() { // three days after it was listed, by the database's clock
			s.Restart()
			testkit.Eventually(t, waitTimeout, func() error {
				var n int
				require.NoError(t, s.DB.Owner.Get(&n, `SELECT count(*) FROM erasure WHERE done_at IS NULL`))
				if n != 1 {
					return unexpected{"number of waiting erasures", strconv.Itoa(n), "1"}
				}
				return nil
			})
			s.Kill()
			require.NotEmpty(t, testkit.ColumnsContaining(t, s.DB.Owner, words))
			for _, table := range []string{"erasure", "erasure_donor", "erasure_address"} {
				s.DB.Owner.MustExec(`UPDATE ` + table + ` SET recorded_at = recorded_at - interval '4 days'`)
			}
			s.Restart()
			testkit.Eventually(t, waitTimeout, func() error {
				if found := testkit.ColumnsContaining(t, s.DB.Owner, words); len(found) > 0 {
					return unexpected{"what is left", strings.Join(found, " "), "nothing"}
				}
				return nil
			})
			s.Kill()
		},
	} {
		owner, server := emptyServer(t)
		runTool(t, "", "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname="+owner, dump)
		s.MoveTo(&testkit.Database{ServerURL: server, OwnerURL: owner, Owner: connect(t, owner)})
		s.Konbit("migrate")
		require.NotEmpty(t, testkit.ColumnsContaining(t, s.DB.Owner, words), "the old copy knows them")
		apply()
		require.Empty(t, testkit.ColumnsContaining(t, s.DB.Owner, words), name)
		require.Equal(t, before, permanentData(), name)
		require.Subset(t, seals(), sealed, name) // the server seals on
		s.Konbit("ledger", "verify")
		again, err := os.ReadFile(list)
		require.NoError(t, err)
		require.Equal(t, string(outside), string(again), "the list outlives the copy that had lost it")
	}
}
