package ledger

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
	"konbit/migrations"
)

// sealAll seals until nothing is left to seal. Tests that run at the same time hold transactions of the cluster open
// for a while.
func (h fixture) sealAll(t testing.TB) (sealed int) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		n, err := Seal(t.Context(), h.Server)
		require.NoError(t, err)
		sealed += n
		var waiting int
		require.NoError(t, h.Owner.Get(&waiting, `SELECT (SELECT count(*) FROM journal_entry) - (SELECT count(*) FROM ledger_seal)`))
		if waiting != 0 {
			return fmt.Errorf("%d entries are not sealed", waiting)
		}
		return nil
	})
	return sealed
}

func (h fixture) requireOK(t testing.TB, heads ...Head) Report {
	t.Helper()
	report, err := Verify(t.Context(), h.Server, heads...)
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	return report
}

func (h fixture) head(t testing.TB, b entityBooks) Head {
	t.Helper()
	ends, err := heads(t.Context(), h.Server)
	require.NoError(t, err)
	return ends[b.entity]
}

func TestSealIsWhatItsDocumentationSays(t *testing.T) {
	h := newFixture(t)
	fee := h.tsne.fee("pi_ñ", 88)
	fee.Dimensions = map[string]string{"b": "2", "aa": "é", "a": `"1"`}
	posted, err := h.post(t.Context(), h.grassroots.gift("pi_1", 300), h.tsne.gift("pi_1", 2000), fee)
	require.NoError(t, err)
	_, err = h.post(t.Context(), fee)
	require.NoError(t, err)
	h.inTx(t, func(tx *sqlx.Tx) error {
		_, err := ReverseTx(t.Context(), tx, Reversal{Of: posted[2].ID, Date: day, Source: "test", SourceID: "x", Kind: "reversal", Fact: Fact{"of": "x"}}, newID)
		return err
	})
	require.Equal(t, 4, h.sealAll(t))
	report := h.requireOK(t)
	require.Len(t, report.Chains, 2)

	// The same, computed by another program from its documentation.
	const recompute = `
		SELECT s.n, s.hash = sha256(convert_to(string_agg(octet_length(f.value) || ':' || f.value, '' ORDER BY f.line, f.place), 'UTF8'))
		  FROM ledger_seal s LEFT JOIN ledger_seal previous ON previous.entity_id = s.entity_id AND previous.n = s.n - 1
		  JOIN journal_entry e ON e.id = s.entry_id
		 CROSS JOIN LATERAL (
		     SELECT 0 AS line, place, value FROM unnest(ARRAY['konbit entry 1', coalesce(encode(previous.hash, 'hex'), repeat('0', 64)), s.n::text,
		         e.entity_id::text, e.id::text, e.serial::text, e.currency, e.entry_date::text, e.fact_date::text, e.source, e.source_id, e.kind,
		         encode(e.fact_hash, 'hex'), e.line_count::text, coalesce(e.reverses::text, ''), e.dimensions::text,
		         to_char(timezone('UTC', e.recorded_at), 'YYYY-MM-DD') || 'T' || to_char(timezone('UTC', e.recorded_at), 'HH24:MI:SS.US') || 'Z',
		         e.recorded_by::text]) WITH ORDINALITY AS a (value, place)
		     UNION ALL
		     SELECT p.n, place, value FROM posting p CROSS JOIN LATERAL unnest(ARRAY[p.n::text, p.account_code, p.fund_id::text, p.amount::text,
		         coalesce(p.dimensions::text, ''), coalesce(p.foreign_currency, ''), coalesce(p.foreign_amount::text, ''), coalesce(p.rate::text, '')])
		         WITH ORDINALITY AS a (value, place) WHERE p.entry_id = e.id) f
		 GROUP BY s.entity_id, s.n, s.hash ORDER BY s.entity_id, s.n`
	var rows []struct {
		N    int64
		Same bool
	}
	require.NoError(t, h.Owner.Select(&rows, `SELECT n, same FROM (`+recompute+`) r (n, same)`))
	require.Len(t, rows, 4)
	for _, r := range rows {
		require.True(t, r.Same, r.N)
	}
}

// TestSealOfAKnownEntry pins the hash: entries sealed once are verified by every later version.
func TestSealOfAKnownEntry(t *testing.T) {
	s := hashInput{body: field(field(nil, []byte("año")), nil)}
	text := "14:konbit entry 1" + "64:0101010101010101010101010101010101010101010101010101010101010101" + "2:12" + "4:año" + "0:"
	var previous [32]byte
	for i := range previous {
		previous[i] = 1
	}
	var want []byte
	require.NoError(t, testkit.DB(t).Server.Get(&want, `SELECT sha256(convert_to($1, 'UTF8'))`, text))
	got := s.seal(12, previous)
	require.Equal(t, want, got[:])
}

func TestSealMissesNoLateCommit(t *testing.T) {
	h := newFixture(t)
	late, err := h.Server.Beginx()
	require.NoError(t, err)
	defer late.Rollback() // committed below
	first, err := PostTx(t.Context(), late, []Entry{h.tsne.gift("pi_late", 100)}, newID)
	require.NoError(t, err)
	second, err := h.post(t.Context(), h.tsne.gift("pi_early", 200))
	require.NoError(t, err)

	n, err := Seal(t.Context(), h.Server)
	require.NoError(t, err)
	require.Zero(t, n, "an entry below it may still come up")
	require.NoError(t, late.Commit())
	require.Equal(t, 2, h.sealAll(t))
	var order []uuid.UUID
	require.NoError(t, h.Owner.Select(&order, `SELECT entry_id FROM ledger_seal ORDER BY n`))
	require.Equal(t, []uuid.UUID{first[0].ID, second[0].ID}, order)
	h.requireOK(t)
}

func TestSealersTakeTurns(t *testing.T) {
	h := newFixture(t)
	var posters, sealers sync.WaitGroup
	stop := make(chan struct{})
	failed := make(chan error, 16)
	for p := range 4 {
		posters.Go(func() {
			for i := range 60 {
				b := []entityBooks{h.tsne, h.grassroots}[i%2]
				if _, err := h.post(t.Context(), b.gift(fmt.Sprint("pi_", p, "_", i), 100), b.fee(fmt.Sprint("pi_", p, "_", i), 3)); err != nil {
					failed <- err
					return
				}
			}
		})
		sealers.Go(func() {
			for {
				_, err := Seal(t.Context(), h.Server)
				if err == nil {
					_, err = TakeSnapshots(t.Context(), h.Server, 20)
				}
				if err != nil {
					failed <- err
					return
				}
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	posters.Wait()
	close(stop)
	sealers.Wait()
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
	h.sealAll(t)
	report := h.requireOK(t)
	require.Len(t, report.Chains, 2)
	require.EqualValues(t, 240, report.Chains[0].Sealed)
	require.EqualValues(t, 240, report.Chains[1].Sealed)
	var snapshots int
	require.NoError(t, h.Owner.Get(&snapshots, `SELECT count(DISTINCT (fund_id, n)) FROM ledger_snapshot`))
	require.Greater(t, snapshots, 1)
}

func TestNothingIncompleteIsSealed(t *testing.T) {
	h := newFixture(t)
	var spoilt uuid.UUID
	for _, id := range []string{"pi_1", "pi_2", "pi_3"} {
		posted, err := h.post(t.Context(), h.tsne.gift(id, 100))
		require.NoError(t, err)
		if id == "pi_2" {
			spoilt = posted[0].ID
		}
	}
	for _, s := range []string{`ALTER TABLE posting DISABLE TRIGGER USER`, `DELETE FROM posting WHERE n = 2 AND entry_id = '` + spoilt.String() + `'`} {
		_, err := h.Owner.Exec(s)
		require.NoError(t, err)
	}
	testkit.Eventually(t, time.Minute, func() error {
		n, err := Seal(t.Context(), h.Server)
		if err == nil {
			return fmt.Errorf("not tried yet")
		}
		require.ErrorContains(t, err, spoilt.String()+" does not have the lines it states")
		require.Equal(t, 1, n, "what stands before it")
		return nil
	})
}

func TestHeadsAreKeptOnceADay(t *testing.T) {
	h := newFixture(t)
	record := func(d Date) (recorded *RecordedHead) {
		h.inTx(t, func(tx *sqlx.Tx) (err error) {
			recorded, err = RecordHeadTx(t.Context(), tx, h.tsne.entity, d, newID, time.Now())
			return err
		})
		return recorded
	}
	require.Nil(t, record(day), "nothing is sealed")
	_, err := h.post(t.Context(), h.tsne.gift("pi_1", 100))
	require.NoError(t, err)
	h.sealAll(t)
	first := record(day)
	require.Equal(t, h.head(t, h.tsne), first.Head)
	require.Zero(t, first.TrialBalance)
	require.Nil(t, record(day))
	again, err := HeadByID(t.Context(), h.Server, first.ID)
	require.NoError(t, err)
	require.Equal(t, []any{first.Head, day}, []any{again.Head, again.Day})
	require.NotNil(t, record(day.Next()), "an unchanged chain is recorded again")
	h.requireOK(t)

	parsed, err := ParseHead(h.tsne.entity, fmt.Sprintf("%d:%s", first.N, first.Hex()))
	require.NoError(t, err)
	require.Equal(t, first.Head, parsed)
	for _, wrong := range []string{"", "1", "1:", ":" + first.Hex(), "0:" + first.Hex(), "1:" + first.Hex()[2:], "1:" + first.Hex() + "00", "x:" + first.Hex()} {
		_, err := ParseHead(h.tsne.entity, wrong)
		require.ErrorContains(t, err, "want N:HASH", wrong)
	}
}

func TestSealsAreWrittenOnce(t *testing.T) {
	h := newFixture(t)
	posted, err := h.post(t.Context(), h.tsne.gift("pi_1", 100))
	require.NoError(t, err)
	h.sealAll(t)
	_, err = TakeSnapshots(t.Context(), h.Server, 1)
	require.NoError(t, err)
	h.inTx(t, func(tx *sqlx.Tx) error {
		_, err := RecordHeadTx(t.Context(), tx, h.tsne.entity, day, newID, time.Now())
		return err
	})
	for table, column := range map[string]string{"ledger_seal": "hash", "ledger_snapshot": "amount", "ledger_head": "hash"} {
		for _, rewrite := range []string{`UPDATE {t} SET {c} = {c}`, `DELETE FROM {t}`, `TRUNCATE {t} CASCADE`} {
			for _, db := range []*sqlx.DB{h.Server, h.Owner} {
				statement := strings.NewReplacer("{t}", table, "{c}", column).Replace(rewrite)
				h.refused(t, db, attack{state: forbidden, statements: []string{statement}}, posted[0])
			}
		}
	}
	again := `INSERT INTO ledger_seal (entity_id, n, entry_id, serial, hash) VALUES ('{entity}', %d, '{new}', %d, sha256('x'))`
	h.refused(t, h.Server, attack{state: taken, constraint: "ledger_seal_pkey", statements: []string{fmt.Sprintf(again, 1, 99)}}, posted[0])
	h.refused(t, h.Server, attack{state: taken, constraint: "ledger_seal_serial_key", statements: []string{fmt.Sprintf(again, 2, 1)}}, posted[0])
	h.refused(t, h.Server, attack{state: forbidden, statements: all(header(2, "fact_hash,", "fact_hash, serial,", "sha256('x'),", "sha256('x'), '7',"))}, posted[0])
	h.refused(t, h.Server, attack{state: missing, constraint: "posting_of_entry",
		statements: all(header(2), line(1, 2, Bank, 5, "coalesce((SELECT serial", "1 + coalesce((SELECT serial"))}, posted[0])
	h.refused(t, h.Server, attack{state: forbidden, statements: []string{`SELECT setval('journal_entry_serial', 1)`}}, posted[0])
}

func TestTheServerMakesNoTemporaryTables(t *testing.T) {
	db := testkit.EmptyDB(t)
	may := func() (yes bool) {
		require.NoError(t, db.Owner.Get(&yes, `SELECT has_database_privilege($1, current_database(), 'TEMPORARY')`, testkit.ServerRole))
		return yes
	}
	require.True(t, may())
	require.NoError(t, migrations.Up(t.Context(), db.OwnerURL, testkit.ServerRole))
	require.False(t, may())
}
