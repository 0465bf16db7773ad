package interchange

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/testkit"
)

var now = time.Date(2026, time.May, 1, 12, 0, 0, 0, time.UTC)

// counter returns the ids 1, 2, 3 …, so that a journal is the same in every run.
type counter struct{ n byte }

func (c *counter) id() uuid.UUID { c.n++; return uuid.UUID{15: c.n} }

type books struct {
	entity                   uuid.UUID
	currency                 money.Currency
	operations, general, own uuid.UUID
}

func open(t *testing.T, db *testkit.Database, ids *counter, slug string, currency money.Currency) books {
	t.Helper()
	b := books{ids.id(), currency, ids.id(), ids.id(), ids.id()}
	organisation := ids.id()
	text := phrase.Text{phrase.English: "Ana Example's fund"}
	require.NoError(t, pg.InTx(t.Context(), db.Owner, func(tx *sqlx.Tx) error {
		return errors.Join(
			org.UpsertEntityTx(t.Context(), tx, org.LegalEntity{ID: b.entity, Slug: slug, LegalName: "An Entity", EIN: "12-3456789", Timezone: "UTC",
				Currency: currency, MailFrom: "a@example.org", ProcessingFee: org.ProcessingFee{PaidBy: org.PaidByFund}, SponsorFee: org.SponsorFee{Of: org.OfGross}}, now),
			org.UpsertOrganisationTx(t.Context(), tx, org.Organisation{ID: organisation, EntityID: b.entity, Slug: slug, Name: text,
				Languages: []phrase.Language{phrase.English}, Minimum: 1, Maximum: 2, Frequencies: []org.Frequency{org.Once}, Accent: org.DefaultAccent}, now),
			fund.UpsertTx(t.Context(), tx, fund.NewOperations(b.operations, b.entity), now),
			fund.UpsertTx(t.Context(), tx, fund.Fund{ID: b.general, EntityID: b.entity, OrganisationID: organisation, Slug: "general", Code: "general", Name: text, Restriction: fund.ByPurpose}, now),
			fund.UpsertTx(t.Context(), tx, fund.Fund{ID: b.own, EntityID: b.entity, OrganisationID: organisation, Slug: "7-" + slug, Code: "7-" + slug, Name: text, Restriction: fund.Unrestricted}, now),
			ledger.OpenBooksTx(t.Context(), tx, b.entity, currency))
	}))
	_, err := db.Owner.Exec(`INSERT INTO bank_account (id, entity_id, slug, name, last4, currency, holds, created_at, updated_at) VALUES (gen_random_uuid(), $1, $2, 'Main', '0001', $3, 'all', now(), now())`,
		b.entity, "bank-"+slug, currency)
	require.NoError(t, err)
	return b
}

// entry returns the entry of one object, dated on that day of March.
func (b books) entry(kind, id string, day int, postings ...[]ledger.Posting) ledger.Entry {
	e := ledger.Entry{EntityID: b.entity, Currency: b.currency, Date: ledger.Date{Year: 2026, Month: time.March, Day: day},
		Source: "stripe", SourceID: id, Kind: kind, Fact: ledger.Fact{"id": id}}
	for _, p := range postings {
		e.Postings = append(e.Postings, p...)
	}
	return e
}

// fill posts one entry of every kind that the exports have to write: gifts, fees, a split, a sponsor's fee, memo lines,
// two entities with equal fund names (one in a currency without decimals), a foreign amount and dimensions of a line, a
// reversal, a fact dated in a closed period, and text that the formats must escape.
func fill(t *testing.T, db *testkit.Database) {
	t.Helper()
	ids := &counter{}
	tsne, grassroots := open(t, db, ids, "tsne", "USD"), open(t, db, ids, "grassroots-international", "JPY")
	_, err := db.Owner.Exec(`UPDATE books SET closed_through = '2026-03-02' WHERE entity_id = $1`, tsne.entity)
	require.NoError(t, err)
	move := ledger.Move
	batches := [][]ledger.Entry{
		{tsne.entry("gift", "pi_1", 14, move(ledger.StripeClearing, ledger.ContributionsWith, tsne.general, 2000)),
			grassroots.entry("gift", "pi_1", 14, move(ledger.StripeClearing, ledger.ContributionsWith, grassroots.general, 500))},
		{tsne.entry("fee", "txn_1", 15, move(ledger.ProcessingFees, ledger.StripeClearing, tsne.general, 88),
			move(ledger.ReleasedWith, ledger.ReleasedWithout, tsne.general, 88))},
		{tsne.entry("gift", "pi_2", 13, move(ledger.StripeClearing, ledger.ContributionsWith, tsne.general, 1),
			move(ledger.StripeClearing, ledger.ContributionsWithout, tsne.own, 99))},
		{tsne.entry("sponsor fee", "txn_1", 15, move(ledger.TransfersBetweenFunds, ledger.StripeClearing, tsne.own, 7),
			move(ledger.StripeClearing, ledger.TransfersBetweenFunds, tsne.operations, 7))},
		{tsne.entry("gift", "pi_late", 1, move(ledger.StripeClearing, ledger.ContributionsWithout, tsne.own, 123456789012345))},
		{grassroots.entry("transfer", "wire_1", 18, abroad(t, move(ledger.Bank, ledger.ContributionsWithout, grassroots.own, 15025)))},
		{grassroots.entry("award", `odd "id", \ ; |`+"\n", 20, move(ledger.Encumbrances, ledger.ReserveForEncumbrances, grassroots.own, 100))},
	}
	var posted []ledger.Posted
	for _, batch := range batches { // one at a time: the order of recording is part of the journal
		require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error {
			posted, err = ledger.PostTx(t.Context(), tx, batch, ids.id)
			return err
		}))
	}
	require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error {
		_, err := ledger.ReverseTx(t.Context(), tx, ledger.Reversal{Of: posted[0].ID, Date: ledger.Date{Year: 2026, Month: time.April, Day: 2},
			Source: "committee", SourceID: "grant_1", Kind: "award withdrawn", Fact: ledger.Fact{"grant": "1"}}, ids.id)
		return err
	}))
}

// abroad adds to two lines of 15,025 yen the 100.17 US dollars that were sent, and to the first line dimensions.
func abroad(t *testing.T, lines []ledger.Posting) []ledger.Posting {
	rate, err := ledger.ParseRate("149.995")
	require.NoError(t, err)
	lines[0].Foreign = &ledger.Foreign{Amount: money.New(10017, "USD"), Rate: rate}
	lines[1].Foreign = &ledger.Foreign{Amount: money.New(-10017, "USD"), Rate: rate}
	lines[0].Dimensions = map[string]string{"nature": `"wire", \ ; |`, "bank": "bank-grassroots-international"}
	return lines
}

func export(t *testing.T, db *testkit.Database, format Format) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, ExportJournal(t.Context(), db.Server, &out, format, now))
	return out.String()
}

// judge runs the accounting program of the format on the journal and returns its output.
func judge(t *testing.T, format Format, journal string) (verdict string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "journal."+string(format))
	require.NoError(t, os.WriteFile(file, []byte(journal), 0o600))
	command := map[Format][]string{Hledger: {"hledger", "check", "--strict", "ordereddates", "-f", file}, Beancount: {"bean-check", file}}[format]
	path, err := exec.LookPath(command[0])
	if err != nil {
		t.Fatalf("%s is not installed; install it with: make test-deps", command[0])
	}
	cmd := exec.CommandContext(t.Context(), path, command[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestAccountingProgramsAcceptTheJournal(t *testing.T) {
	for _, format := range Formats() {
		t.Run(string(format), func(t *testing.T) {
			db := testkit.DB(t)
			for _, step := range []func(){func() {}, func() { fill(t, db) }} {
				step()
				journal := export(t, db, format)
				verdict, err := judge(t, format, journal)
				require.NoError(t, err, verdict+"\n"+journal)
				require.Equal(t, journal, export(t, db, format))
			}
		})
	}
}

func TestAccountingProgramsRefuseATamperedJournal(t *testing.T) {
	db := testkit.DB(t)
	fill(t, db)
	for _, format := range Formats() {
		journal := export(t, db, format)
		general := "Assets:Tsne:General:1010-Stripe-clearing  "
		for name, c := range map[string]struct{ old, new string }{
			"one posting by a cent":   {general + "20.00 USD", general + "20.01 USD"},
			"an entry doubled":        {"    " + general + "20.00 USD\n", "    " + general + "20.00 USD\n    " + general + "20.00 USD\n    Income:Tsne:General:4100-Contributions-with-restrictions  -20.00 USD\n"},
			"both postings by a cent": {"20.00 USD", "20.01 USD"},
			"a balance by a cent": {map[Format]string{Hledger: "== 19.13 USD", Beancount: "19.13 ~ 0 USD"}[format],
				map[Format]string{Hledger: "== 19.12 USD", Beancount: "19.12 ~ 0 USD"}[format]},
			"a balance by a yen":              {map[Format]string{Hledger: "== 500 JPY", Beancount: "500 ~ 0 JPY"}[format], map[Format]string{Hledger: "== 501 JPY", Beancount: "501 ~ 0 JPY"}[format]},
			"an account that is not declared": {general + "20.00", "Assets:Tsne:Other:1010-Stripe-clearing  20.00"},
		} {
			t.Run(string(format)+"/"+name, func(t *testing.T) {
				if format == Beancount {
					c.old, c.new = strings.ReplaceAll(c.old, "    ", "  "), strings.ReplaceAll(c.new, "    ", "  ")
				}
				require.Contains(t, journal, c.old)
				verdict, err := judge(t, format, strings.ReplaceAll(journal, c.old, c.new))
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit, verdict)
				require.NotEmpty(t, verdict)
			})
		}
	}
}

// TestGoldenJournals compares the journals with files for reviewers: a change in them changes what auditors get.
// UPDATE_GOLDEN=1 rewrites them.
func TestGoldenJournals(t *testing.T) {
	db := testkit.DB(t)
	fill(t, db)
	for _, format := range Formats() {
		journal := export(t, db, format)
		require.NotContains(t, journal, "Ana")
		golden := filepath.Join("testdata", "journal."+string(format))
		if os.Getenv("UPDATE_GOLDEN") != "" {
			require.NoError(t, os.WriteFile(golden, []byte(journal), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), journal)
	}
}

type broken struct{ after int }

func (b *broken) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestExportReturnsErrors(t *testing.T) {
	db := testkit.DB(t)
	fill(t, db)
	require.ErrorContains(t, ExportJournal(t.Context(), db.Server, &bytes.Buffer{}, "csv", now), `no journal format "csv"`)
	require.ErrorContains(t, ExportJournal(t.Context(), db.Server, &broken{}, Hledger, now), "disk full")
}
