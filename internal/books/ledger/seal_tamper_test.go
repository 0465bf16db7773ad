package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
)

// sealTamperings are changes that the owner of the tables could make to sealed books, and the finding that shows each.
// The gifts pi_1 to pi_4 are the entries 1 to 4 of the chain; the head of entry 3 is recorded.
var sealTamperings = map[string]struct {
	tamper   []string
	rule     string
	entry    string // source id of the first bad entry; "" if none
	count    int64
	external bool // only a head from outside the database shows it
}{
	"amount changed": {[]string{`UPDATE posting SET amount = 2 * amount WHERE entry_id = {2}`}, ruleUnchanged, "pi_2", 1, false},
	"account changed": {[]string{`UPDATE posting SET account_code = '1100' WHERE entry_id = {2} AND account_code = '1010'`},
		ruleUnchanged, "pi_2", 1, false},
	"fund changed":              {[]string{`UPDATE posting SET fund_id = '{two}' WHERE entry_id = {2}`}, ruleUnchanged, "pi_2", 1, false},
	"date changed":              {[]string{`UPDATE journal_entry SET entry_date = entry_date + 1 WHERE id = {2}`}, ruleUnchanged, "pi_2", 1, false},
	"dimensions changed":        {[]string{`UPDATE journal_entry SET dimensions = '{}' WHERE id IN ({2}, {3})`}, ruleUnchanged, "pi_2", 2, false},
	"line's dimensions changed": {[]string{`UPDATE posting SET dimensions = '{"bank": "b2"}' WHERE entry_id = {2}`}, ruleUnchanged, "pi_2", 1, false},
	"foreign amount changed": {[]string{`UPDATE posting SET foreign_currency = 'EUR', foreign_amount = amount, rate = 1 WHERE entry_id IN ({2}, {3})`},
		ruleUnchanged, "pi_2", 2, false},
	"fact changed": {[]string{`UPDATE journal_entry SET fact_hash = sha256('x') WHERE id = {1}`}, ruleUnchanged, "pi_1", 1, false},
	"time changed": {[]string{`UPDATE journal_entry SET recorded_at = recorded_at - interval '1 day' WHERE id = {4}`}, ruleUnchanged, "pi_4", 1, false},
	"pair added": {[]string{`UPDATE journal_entry SET line_count = 4 WHERE id = {2}`, `UPDATE posting SET line_count = 4 WHERE entry_id = {2}`,
		`INSERT INTO posting (entry_id, n, entity_id, currency, line_count, serial, account_code, fund_id, amount)
			SELECT entry_id, n + 2, entity_id, currency, line_count, serial, account_code, fund_id, amount FROM posting WHERE entry_id = {2}`}, ruleUnchanged, "pi_2", 1, false},
	"entry deleted": {[]string{`DELETE FROM posting WHERE entry_id = {2}`, `DELETE FROM journal_entry WHERE id = {2}`}, ruleExists, "", 1, false},
	"entry and seal deleted": {[]string{`DELETE FROM posting WHERE entry_id = {2}`, `DELETE FROM journal_entry WHERE id = {2}`,
		`DELETE FROM ledger_seal WHERE n = 2 AND entity_id = '{entity}'`}, ruleNoGap, "pi_3", 1, false},
	"entry inserted in the past": {[]string{`UPDATE journal_entry SET serial = -serial WHERE id = {new}`, `UPDATE posting SET serial = -serial WHERE entry_id = {new}`},
		"no entry without a seal is below the last sealed one", "pi_new", 1, false},
	"entry inserted in the past with a seal": {[]string{`UPDATE journal_entry SET serial = -serial WHERE id = {new}`, `UPDATE posting SET serial = -serial WHERE entry_id = {new}`,
		`INSERT INTO ledger_seal SELECT entity_id, 5, id, serial, sha256('x') FROM journal_entry WHERE id = {new}`}, ruleInOrder, "pi_new", 1, false},
	"reordered, hashes and all": {[]string{`UPDATE ledger_seal SET n = CASE n WHEN 2 THEN 12 ELSE 13 END WHERE n IN (2, 3) AND entity_id = '{entity}'`,
		`UPDATE ledger_seal SET n = CASE n WHEN 12 THEN 3 ELSE 2 END WHERE n IN (12, 13)`, rehash}, ruleInOrder, "pi_2", 1, false},
	"reordered": {[]string{`UPDATE ledger_seal SET n = CASE n WHEN 2 THEN 12 ELSE 13 END WHERE n IN (2, 3) AND entity_id = '{entity}'`,
		`UPDATE ledger_seal SET n = CASE n WHEN 12 THEN 3 ELSE 2 END WHERE n IN (12, 13)`}, ruleUnchanged, "pi_3", 3, false},
	"hash changed":              {[]string{`UPDATE ledger_seal SET hash = sha256('x') WHERE n = 2 AND entity_id = '{entity}'`}, ruleUnchanged, "pi_2", 2, false},
	"sealed in another's chain": {[]string{`UPDATE journal_entry SET entity_id = '{neighbour}' WHERE id = {2}`}, ruleInOrder, "pi_2", 1, false},
	"suffix hashed again":       {[]string{`UPDATE posting SET amount = 2 * amount WHERE entry_id = {3}`, rehash}, ruleHead, "pi_3", 1, false},
	"last one hashed again":     {[]string{`UPDATE posting SET amount = 2 * amount WHERE entry_id = {4}`, rehash}, ruleHead, "pi_4", 1, true},
	"head hashed again too": {[]string{`UPDATE posting SET amount = 2 * amount WHERE entry_id = {3}`, rehash,
		`UPDATE ledger_head k SET hash = s.hash FROM ledger_seal s WHERE s.entity_id = k.entity_id AND s.n = k.n`}, ruleHead, "pi_4", 1, true},
	"tail of seals cut, old":           {[]string{`DELETE FROM ledger_seal WHERE n > 3`, aged}, "entries are sealed within five minutes", "pi_4", 2, false},
	"tail of seals cut, head recorded": {[]string{`DELETE FROM ledger_seal WHERE n > 2`}, ruleHead, "", 1, false},
	"seals and entries cut":            {truncate(3), ruleHead, "", 1, false},
	"last seal and entry cut":          {truncate(4), ruleHead, "", 1, true},
	"snapshot changed":                 {[]string{`UPDATE ledger_snapshot SET amount = amount + 1 WHERE account_code = '1010'`}, "every snapshot is the sum of the postings up to it", "", 1, false},
	"snapshot thinned":                 {[]string{`DELETE FROM ledger_snapshot WHERE account_code = '1010'`}, "every snapshot is the sum of the postings up to it", "", 1, false},
	"snapshot invented": {[]string{`INSERT INTO ledger_snapshot SELECT entity_id, fund_id, 1, account_code, amount FROM ledger_snapshot`},
		"every snapshot is the sum of the postings up to it", "", 2, false},
}

// aged sets the times of entries to long ago; their seals stay.
const aged = `UPDATE journal_entry SET recorded_at = recorded_at - interval '6 minutes' WHERE source_id IN ('pi_4', 'pi_new')`

func truncate(from int) []string {
	more := string(rune('0' + from))
	return all(`DELETE FROM posting WHERE entry_id IN (SELECT entry_id FROM ledger_seal WHERE n >= `+more+`)`,
		`DELETE FROM journal_entry WHERE id IN (SELECT entry_id FROM ledger_seal WHERE n >= `+more+`)`, `DELETE FROM ledger_seal WHERE n >= `+more)
}

// rehash stands for what the test does in Go: it computes every hash of the chain again.
const rehash = "rehash"

func (h fixture) rehash(t *testing.T) {
	type link struct {
		entity uuid.UUID
		n      int64
		hash   [32]byte
	}
	var anew []link
	rows, err := h.Owner.Query(sealedEntries)
	require.NoError(t, err)
	defer rows.Close()
	var last link
	require.NoError(t, scanHashInputs(rows, func(s *hashInput) error {
		if s.entityID != last.entity {
			last = link{entity: s.entityID}
		}
		last.n, last.hash = s.n, s.seal(s.n, last.hash)
		anew = append(anew, last)
		return nil
	}))
	for _, l := range anew {
		_, err := h.Owner.Exec(`UPDATE ledger_seal SET hash = $3 WHERE entity_id = $1 AND n = $2`, l.entity, l.n, l.hash[:])
		require.NoError(t, err)
	}
}

func TestVerifyFindsTamperingWithSealedBooks(t *testing.T) {
	for name, c := range sealTamperings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t)
			ids := map[string]uuid.UUID{}
			post := func(id string) {
				posted, err := h.post(t.Context(), h.tsne.gift(id, 2000))
				require.NoError(t, err)
				ids[id] = posted[0].ID
				if id == "pi_3" {
					h.sealAll(t)
					h.inTx(t, func(tx *sqlx.Tx) error {
						_, err := RecordHeadTx(t.Context(), tx, h.tsne.entity, day, newID, time.Now())
						return err
					})
					_, err = TakeSnapshots(t.Context(), h.Server, 1)
					require.NoError(t, err)
				}
			}
			for _, id := range []string{"pi_1", "pi_2", "pi_3", "pi_4"} {
				post(id)
			}
			h.sealAll(t)
			known := h.head(t, h.tsne)
			h.requireOK(t, known)
			post("pi_new")
			h.requireOK(t, known)

			h.unlock(t)
			names := strings.NewReplacer("{1}", "'"+ids["pi_1"].String()+"'", "{2}", "'"+ids["pi_2"].String()+"'", "{3}", "'"+ids["pi_3"].String()+"'",
				"{4}", "'"+ids["pi_4"].String()+"'", "{new}", "'"+ids["pi_new"].String()+"'")
			for _, s := range c.tamper {
				if s == rehash {
					h.rehash(t)
					continue
				}
				_, err := h.Owner.Exec(h.resolve(names.Replace(s), Posted{}))
				require.NoError(t, err, s)
			}
			report, err := Verify(t.Context(), h.Server)
			require.NoError(t, err)
			if c.external {
				require.Nil(t, report.of(c.rule), "nothing in the database shows it")
				report, err = Verify(t.Context(), h.Server, known)
				require.NoError(t, err)
			}
			found := report.of(c.rule)
			require.NotNil(t, found, report.Findings)
			require.Equal(t, c.count, found.Count, found)
			require.Equal(t, c.entry != "" || c.rule == ruleExists, found.Entry.Valid, found)
			if c.entry != "" {
				require.Equal(t, ids[c.entry], found.Entry.UUID, found)
			}
		})
	}
}

func (r Report) of(rule string) *Finding {
	for i := range r.Findings {
		if r.Findings[i].Rule == rule {
			return &r.Findings[i]
		}
	}
	return nil
}

// unlock removes triggers and constraints, as the owner of the machine could.
func (h fixture) unlock(t *testing.T) {
	t.Helper()
	for _, s := range []string{
		`ALTER TABLE journal_entry DISABLE TRIGGER USER`, `ALTER TABLE posting DISABLE TRIGGER USER`, `ALTER TABLE ledger_seal DISABLE TRIGGER USER`,
		`ALTER TABLE ledger_head DISABLE TRIGGER USER`, `ALTER TABLE ledger_snapshot DISABLE TRIGGER USER`,
		`ALTER TABLE posting DROP CONSTRAINT posting_of_entry, DROP CONSTRAINT posting_fund_id_entity_id_fkey, DROP CONSTRAINT posting_check`,
		`ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_check, DROP CONSTRAINT journal_entry_key, DROP CONSTRAINT journal_entry_reverses_fkey,
			DROP CONSTRAINT journal_entry_entity_id_currency_fkey`,
		`ALTER TABLE ledger_head DROP CONSTRAINT ledger_head_entity_id_n_fkey`, `ALTER TABLE ledger_snapshot DROP CONSTRAINT ledger_snapshot_entity_id_n_fkey`,
	} {
		_, err := h.Owner.Exec(s)
		require.NoError(t, err)
	}
}
