package giftimport_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"konbit/internal/books/ledger"
	"konbit/internal/office/giftimport"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

type fixture struct {
	*program.Program
	t      *testing.T
	entity uuid.UUID
	clara  *office.Person
	june   *office.Person // types
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	h := program.New(t, program.Options{NoStripe: true})
	f := fixture{Program: h, t: t}
	require.NoError(t, h.DB.Owner.Get(&f.entity, `SELECT id FROM legal_entity WHERE slug = 'tsne'`))
	f.clara = office.Add(t, h.DB.Owner, "clara", office.Role{Role: "finance", Entity: "tsne"})
	f.june = office.Add(t, h.DB.Owner, "june", office.Role{Role: "entry", Entity: "tsne"})
	return f
}

func (f fixture) upload(by *office.Person, raw []byte) (n int, err error) {
	table, err := giftimport.ReadTable(raw)
	require.NoError(f.t, err)
	err = by.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) (err error) {
		n, err = giftimport.UploadTx(f.t.Context(), tx, program.NewID(), f.entity, "gifts.csv", raw, table)
		return err
	})
	return n, err
}

func (f fixture) order(by *office.Person, n int, without bool) error {
	return by.InTx(f.t, f.DB.Server, func(tx *sqlx.Tx) error { return f.Imports.OrderTx(f.t.Context(), tx, f.entity, n, without) })
}

func (f fixture) stored(n int) giftimport.Import {
	i, err := giftimport.ByN(f.t.Context(), f.DB.Owner, f.entity, n)
	require.NoError(f.t, err)
	return i
}

func (f fixture) run(n int) { require.NoError(f.t, f.Imports.Run(f.t.Context(), f.stored(n).ID)) }

func (f fixture) checker(n int) giftimport.Checker {
	entity, err := f.CurrentCatalog().EntityByID(f.entity)
	require.NoError(f.t, err)
	return giftimport.Checker{Catalog: f.CurrentCatalog(), Entity: entity, Mapping: f.stored(n).Mapping, Today: ledger.DateOf(time.Now(), entity.Location())}
}

func (f fixture) quiet() {
	f.t.Helper()
	f.RequireNoFindings()
	report, err := ledger.Verify(f.t.Context(), f.DB.Server)
	require.NoError(f.t, err)
	require.True(f.t, report.OK(), "%v", report.Findings)
}

const file = "Donor name,Email,Zip,Amount,Check #,Date received,Fund,Type,Counted by\n" +
	"Rosa Núñez,rosa@example.org,02139,\"1,250.50\",1001,2026-01-05,general,Check,\n" +
	"\"Lima, Ben\",,02140,80,1002,01/05/2026,network,check,\n" +
	"Rosa Núñez,rosa@example.org,02139,20,1003,2026-01-06,general,Check,\n" +
	"Cy Cash,,,50,,2026-01-06,general,Cash,June and Clara\n"

// TestImportOfASpreadsheet: a file becomes gifts by days, once; its donors are known afterwards; it is undone by reversing entries.
func TestImportOfASpreadsheet(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	n, err := f.upload(f.june, []byte(file))
	require.NoError(t, err)
	require.Equal(t, []string{"name", "email", "postal_code", "amount", "number", "received_on", "fund", "method", "counted_by"}, f.stored(n).Mapping.Columns)
	require.ErrorIs(t, f.order(f.june, n, false), giftimport.ErrPoster, "who types posts nothing")
	require.NoError(t, f.order(f.clara, n, false))
	require.NoError(t, f.order(f.clara, n, false), "the same button again")
	require.Positive(t, f.Count(`SELECT count(*) FROM river_job WHERE kind = 'gift_import'`))

	var together sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		together.Go(func() { errs[i] = f.Imports.Run(context.Background(), f.stored(n).ID) })
	}
	together.Wait()
	for _, err := range errs {
		if err != nil {
			f.run(n)
		}
	}
	f.run(n)
	i := f.stored(n)
	require.Equal(t, giftimport.Ended, i.State())
	require.Equal(t, []any{4, int64(1400_50)}, []any{i.Posted, i.TotalMinor})
	require.Nil(t, i.Content)
	require.Equal(t, 4, f.Count(`SELECT count(*) FROM donation WHERE status = 'settled'`))
	require.Equal(t, 3, f.Count(`SELECT count(*) FROM donor`), "Rosa is one donor")
	require.Equal(t, []string{"2026-01-05 2", "2026-01-06 2"}, f.Lines(`SELECT received_on || ' ' || counted FROM gift_batch ORDER BY received_on`))
	f.quiet()

	_, err = f.upload(f.june, []byte(file))
	require.ErrorIs(t, err, giftimport.ErrAgain)
	again, err := f.upload(f.june, []byte(file+"Rosa Núñez,,02139,5,,2026-01-07,general,check,\nRosa Núñez,,,6,,2026-01-07,general,check,\n"))
	require.NoError(t, err)
	table, err := f.stored(again).Table()
	require.NoError(t, err)
	rows := f.checker(again).Check(table)
	require.NoError(t, f.checker(again).Look(t.Context(), f.DB.Server, rows))
	var doubts []string
	for _, r := range rows {
		for _, d := range r.Doubts {
			doubts = append(doubts, fmt.Sprint(r.Line, " ", d.Phrase))
		}
	}
	require.Equal(t, []string{"2 gift_number", "3 gift_number", "4 gift_number", "5 name", "7 name"}, doubts)
	require.NotEqual(t, uuid.Nil, rows[4].Donor.ID, "name and postal code are a known donor's")

	require.NoError(t, f.clara.InTx(t, f.DB.Server, func(tx *sqlx.Tx) error { return f.Imports.UndoTx(t.Context(), tx, f.entity, n) }))
	f.run(n)
	f.run(n)
	require.Equal(t, giftimport.Undone, f.stored(n).State())
	require.Empty(t, f.Lines(`SELECT p.account_code || ' ' || sum(p.amount) FROM posting p GROUP BY p.account_code, p.fund_id HAVING sum(p.amount) <> 0`))
	require.Equal(t, 4, f.Count(`SELECT count(*) FROM receipt_void WHERE reason = 'correction'`))
	require.Zero(t, f.Count(`SELECT count(*) FROM deposit_item WHERE left_at IS NULL`))
	f.quiet()
}

// TestImportWithBadRows: all or nothing, or without the bad rows.
func TestImportWithBadRows(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	n, err := f.upload(f.clara, []byte(file+"Ivy,,,many,1005,2026-01-06,general,check,\nUma,,,5,1006,2026-01-06,nowhere,check,\nOz,,,5,1007,13/13/2026,general,check,\n"))
	require.NoError(t, err)
	table, err := f.stored(n).Table()
	require.NoError(t, err)
	var bad []string
	for _, r := range f.checker(n).Check(table) {
		for _, field := range r.Bad {
			bad = append(bad, fmt.Sprint(r.Line, " ", field.Name, " ", field.Phrase))
		}
	}
	require.Equal(t, []string{"6 amount office.batch.error.amount_text", "7 fund office.batch.error.fund", "8 received_on office.import.error.day"}, bad)
	require.NoError(t, f.order(f.clara, n, false))
	f.run(n)
	require.Equal(t, giftimport.Uploaded, f.stored(n).State())
	require.Equal(t, "office.import.problem.bad", f.stored(n).Problem)
	require.Zero(t, f.Count(`SELECT count(*) FROM donation`))
	require.NoError(t, f.order(f.clara, n, true))
	f.run(n)
	require.Equal(t, []any{giftimport.Ended, 4, 3}, []any{f.stored(n).State(), f.stored(n).Posted, f.stored(n).LeftOut})
	f.quiet()
}

// TestImportKilledHalfWay: what was posted stays posted, and the job goes on with the rest.
func TestImportKilledHalfWay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	n, err := f.upload(f.clara, []byte(file))
	require.NoError(t, err)
	require.NoError(t, f.order(f.clara, n, false))
	f.Exec(`CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'killed' USING ERRCODE = '57P01'; END $$`)
	f.Exec(`CREATE TRIGGER fails BEFORE INSERT ON gift_batch FOR EACH ROW WHEN (NEW.received_on = '2026-01-06') EXECUTE FUNCTION fails()`)
	require.Error(t, f.Imports.Run(t.Context(), f.stored(n).ID))
	require.Equal(t, 2, f.stored(n).Posted)
	f.Exec(`DROP TRIGGER fails ON gift_batch`)
	f.run(n)
	require.Equal(t, 4, f.stored(n).Posted)
	require.Equal(t, 4, f.Count(`SELECT count(*) FROM donation`))
	require.Equal(t, 3, f.Count(`SELECT count(*) FROM donor`))
	f.quiet()
}

// TestFilesOfEveryKind: the same table is read from CSV in three character sets, with other delimiters, and from XLSX.
func TestFilesOfEveryKind(t *testing.T) {
	t.Parallel()
	want := [][]string{{"Rosa Núñez", "25", "2026-01-05"}, {"Ben", "1.5", "2026-01-06"}}
	text := "Name;Amount;Date\r\nRosa Núñez;25;2026-01-05\r\n;;\r\nBen;1.5;2026-01-06\r\n"
	latin, err := charmap.Windows1252.NewEncoder().String(text)
	require.NoError(t, err)
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(text, ";", "\t"))
	require.NoError(t, err)
	book := excelize.NewFile()
	require.NoError(t, book.SetSheetRow("Sheet1", "A1", &[]any{"Name", "Amount", "Date"}))
	require.NoError(t, book.SetSheetRow("Sheet1", "A2", &[]any{"Rosa Núñez", 25, "2026-01-05"}))
	require.NoError(t, book.SetSheetRow("Sheet1", "A4", &[]any{"Ben", 1.5, "2026-01-06"}))
	var xlsx bytes.Buffer
	require.NoError(t, book.Write(&xlsx))
	for name, raw := range map[string]string{
		"UTF-8": text, "BOM": "\ufeff" + text, "Windows-1252": latin, "UTF-16": utf16, "commas": strings.ReplaceAll(text, ";", ","), "XLSX": xlsx.String(),
	} {
		table, err := giftimport.ReadTable([]byte(raw))
		require.NoError(t, err, name)
		require.Equal(t, []string{"Name", "Amount", "Date"}, table.Heading, name)
		var rows [][]string
		for _, r := range table.Rows {
			rows = append(rows, r.Cells)
		}
		require.Equal(t, want, rows, name)
		require.Equal(t, []int{2, 4}, []int{table.Rows[0].Line, table.Rows[1].Line}, name)
	}
	for name, raw := range map[string]string{"empty": "", "heading": "a,b\n", "PDF": "%PDF-1.7", "no archive": "PK\x03\x04 nothing", "binary": "\x00\x01\x02"} {
		_, err := giftimport.ReadTable([]byte(raw))
		require.Error(t, err, name)
	}
}

// TestTenThousandRows says how long an import of 10,000 rows takes. It is started by KONBIT_MEASURE.
func TestTenThousandRows(t *testing.T) {
	if testing.Short() || !measuring() {
		t.Skip("KONBIT_MEASURE is not set")
	}
	f := newFixture(t)
	var raw strings.Builder
	raw.WriteString("First name,Last name,Email,Amount,Check,Date,Fund\n")
	for i := range 10_000 {
		fmt.Fprintf(&raw, "Ana%d,Lima,ana%d@example.org,%d,%d,2026-01-%02d,general\n", i, i%7000, 5+i%100, 100000+i, 1+i%20)
	}
	began := time.Now()
	n, err := f.upload(f.clara, []byte(raw.String()))
	require.NoError(t, err)
	require.NoError(t, f.order(f.clara, n, false))
	f.run(n)
	t.Logf("10,000 rows in %v", time.Since(began))
	require.Equal(t, 10_000, f.stored(n).Posted)
}
