package week_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/money"
	"konbit/internal/workshop/bankfake"
	"konbit/internal/workshop/testkit"
)

// wire, zelle are the amounts of three gifts by transfer: one of a donor-advised fund, two equal ones.
const wire, zelle = 500000, 7500

// transfers: two equal gifts by Zelle are known before their lines come.
func (w *week) transfers() {
	p := w.june
	p.press(kb.Escape)
	begin(p, 2, decimal(2*zelle), "tsne")
	for _, c := range []check{w.checks[58], w.checks[59]} {
		p.on("donor")
		p.press(strings.ToLower(c.last), kb.Tab, decimal(zelle))
		p.to("More")
		p.press(kb.Enter)
		p.to("#method")
		p.choose("Bank")
		p.leads(kb.Tab, kb.Tab, kb.Enter)
	}
	p.sees("None: it agrees")
	p = w.clara
	p.to("Batches")
	p.leads(kb.Enter)
	p.press("j")
	p.leads(kb.Enter)
	p.to("Post the batch")
	p.press(kb.Enter)
	p.to("#post-button")
	p.leads(kb.Enter)
	p.sees("Posted: 2 gifts")
	w.s.WaitProcessed(2 * patience)
}

// returned is the check that its bank does not pay.
const returned = 10

// atBank adds to the bank's account what does not come from the processor.
func (w *week) atBank() {
	for _, l := range []struct {
		date      string
		amount    int64
		text, ref string
	}{
		{w.day(thursday), -120000, "RENT MARKET STREET PROPERTIES", ""},
		{w.day(tuesday), wire, "WIRE IN FIDELITY CHARITABLE GRANT 4471920", ""},
		{w.day(tuesday), zelle, "ZELLE PAYMENT", ""},
		{w.day(tuesday), zelle, "ZELLE PAYMENT", ""},
		{w.day(wednesday), sumOf(w.checks), "DEPOSIT", ""},
		{w.day(thursday), -w.checks[returned].minor, "RETURNED CHECK " + w.checks[returned].number, ""},
		{w.day(thursday), -1200, "RETURNED ITEM CHARGE", ""},
		{w.day(friday), -1500, "MONTHLY SERVICE CHARGE", ""},
		{w.day(friday), 321, "INTEREST PAID", ""},
	} {
		body, err := json.Marshal(map[string]any{"account": "tsne", "date": l.date, "amount": l.amount, "text": l.text, "reference": l.ref})
		require.NoError(w.t, err)
		answer, err := http.Post(w.s.StripeURL()+"/_sandbox/bank", "application/json", bytes.NewReader(body))
		require.NoError(w.t, err)
		require.Equal(w.t, http.StatusOK, answer.StatusCode)
		require.NoError(w.t, answer.Body.Close())
	}
}

// download returns the bank's month in a format.
func (w *week) download(format string) (path string) {
	q := url.Values{"account": {"tsne"}, "from": {w.month() + "-01"}, "to": {w.friday.AddDate(0, 1, -w.friday.Day()).Format(time.DateOnly)}, "format": {format}}
	answer, err := http.Get(w.s.StripeURL() + "/_sandbox/bank?" + q.Encode())
	require.NoError(w.t, err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusOK, answer.StatusCode, string(content))
	if format == bankfake.CSV { // of a bank whose headings nobody knows yet
		_, rows, _ := strings.Cut(string(content), "\n")
		content = []byte("Type,When,Words,Worth,Code,Left,Slip\n" + rows)
	}
	path = filepath.Join(w.t.TempDir(), "month"+bankfake.Extension(format))
	require.NoError(w.t, os.WriteFile(path, content, 0o600))
	return path
}

// formats reads the bank's file in each format into a copy of the database, matches every line by keys, and compares the proofs.
func (w *week) formats(formats []string) {
	s := w.s
	require.NoError(w.t, s.Stop())
	var copies []*testkit.Database
	for range formats {
		copies = append(copies, testkit.CopyOf(w.t, s.DB))
	}
	first := ""
	for i, format := range formats {
		began, keys := time.Now(), w.clara.keys
		_ = s.Stop() // it runs from the second format on
		s.MoveTo(copies[i])
		s.Restart()
		w.match(format)
		proof := s.Konbit("bank", "proof", "--account", "tsne", "--month", w.month(), "--json")
		if same := ofFormat(w.t, proof); first == "" {
			first = same
			w.t.Log(proof)
		} else {
			require.JSONEq(w.t, first, same, format)
		}
		w.hledger(proof)
		s.RequireChecksClean()
		w.t.Logf("%s: %d keys, %s", format, w.clara.keys-keys, time.Since(began).Round(100*time.Millisecond))
	}
	require.NoError(w.t, s.Stop()) // before the copies are dropped
}

// ofFormat returns a proof without the days of the month that no statement has: CSV and BAI2 name only the days of lines.
func ofFormat(t *testing.T, proof string) string {
	t.Helper()
	all := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(proof), &all))
	delete(all, "gaps")
	same, err := json.Marshal(all)
	require.NoError(t, err)
	return string(same)
}

// match stores the bank's file and explains each line.
func (w *week) match(format string) {
	p := w.clara
	p.open("/office/tsne")
	p.to("Bank")
	p.leads(kb.Enter)
	p.press("j")
	p.leads(kb.Enter)
	p.to("Files")
	p.leads(kb.Enter)
	p.to("#file")
	p.chosen = []string{w.download(format)}
	p.press(kb.Enter)
	testkit.Eventually(w.t, patience, func() error {
		if n := eval[int](p, `document.getElementById("file").files.length`); n != 1 {
			return fmt.Errorf("%d files are chosen", n)
		}
		return nil
	})
	p.to("#submit")
	p.leads(kb.Enter)
	if format == bankfake.CSV {
		p.picture("bank-layout")
		p.axe("a layout")
		w.layout()
	}
	p.sees("11 lines are new")
	p.to("Store")
	p.leads(kb.Enter)
	p.to("Back to the account")
	p.leads(kb.Enter)
	p.to("Match")
	p.leads(kb.Enter)
	p.sees("11 open lines in " + w.friday.Format("January 2006"))
	if format == bankfake.CSV {
		w.hearsLines()
	}
	p.to("Accept all")
	p.done(kb.Enter)
	if format == bankfake.CSV {
		p.hears("button", "^Accept .*"+w.checks[58].last+" · Gift")
		p.picture("bank-lines-rest")
	}

	p.line("RETURNED CHECK")
	p.done(kb.Enter)
	p.line("WIRE") // a gift is made from its line
	p.leads("g")
	p.on("donor")
	p.press("Fidelity Charitable")
	p.to("#fund")
	p.choose("Center to Support Immigrant Organizing: Where")
	p.to("More")
	p.press(kb.Enter)
	p.to("#given_by")
	p.choose("A donor")
	p.leads(kb.Tab, kb.Enter)
	p.picture("bank-gift")
	p.done(kb.Enter)
	p.line("ZELLE PAYMENT") // two fit equally well: a person says which
	p.done(kb.Enter)
	p.line("ZELLE PAYMENT")
	p.done(kb.Enter)
	p.line("CHARGE")
	p.press("m")
	p.line("SERVICE CHARGE")
	p.press("o")
	p.on("own-0")
	p.choose("Bank fee")
	p.done(kb.Tab, kb.Enter)
	p.line("INTEREST")
	p.press("o")
	p.choose("Interest")
	p.done(kb.Tab, kb.Enter)
	p.line("RENT")
	p.leads("r")
	p.to("#item-0")
	p.choose("Spending of general, program, rent")
	p.press(kb.Tab, "98", kb.Tab)
	p.choose("Spending of grassroots-leadership-network, program, rent")
	p.leads(kb.Tab, "2", kb.Enter)
	p.sees("1 open line would be matched now")
	p.picture("bank-rule")
	p.to("Make the rule")
	p.done(kb.Enter)

	p.open("/office/tsne/bank/tsne/" + w.month())
	p.picture("bank-proof-" + format)
	p.sees("100% of the month", "Open lines\t$0.00", "Unexplained\t$0.00")
	if format != bankfake.CSV && format != bankfake.BAI2 { // whose files do not say which days they are about
		p.sees("Every line is explained")
	}
	p.axe("the proof")
}

// layout says once what the columns of the file are.
func (w *week) layout() {
	p := w.clara
	for _, column := range [][2]string{{"Day", "When"}, {"Amount", "Worth"}, {"Words", "Words"}, {"Check", "Slip"}, {"Balance", "Left"}} {
		p.to(column[0])
		p.choose(column[1])
	}
	p.to("the month")
	p.press(" ")
	p.picture("bank-layout-said")
	p.to("Read it so")
	p.leads(kb.Enter)
}

// hearsLines looks at the lines as a screen reader has them.
func (w *week) hearsLines() {
	p := w.clara
	p.picture("bank-lines")
	p.axe("lines of the bank")
	p.hears("checkbox", `WIRE IN FIDELITY CHARITABLE GRANT 4471920 \$5,000.00$`)
	p.hears("link", "^Make a gift of it WIRE IN FIDELITY CHARITABLE")
	p.hears("button", "^Accept Deposit 1")
	p.hears("link", "^Make a rule RENT MARKET STREET PROPERTIES$")
	p.press("j")
	p.announced("status", eval[string](p, `document.activeElement.closest("label").textContent.replace(/\s+/g, " ").trim()`))
	p.open(p.path() + "?month=" + w.month())
}

// done is leads, to a page that refuses nothing.
func (p *person) done(keys ...string) {
	p.t.Helper()
	p.leads(keys...)
	if refused := eval[string](p, `(document.querySelector("#errors, .notice-error") || {}).innerText || ""`); refused != "" {
		p.t.Fatalf("refused: %s; at %s", refused, p.where())
	}
}

// line presses j until the focus is on a line with these words, k if it is before.
func (p *person) line(words string) {
	p.t.Helper()
	for range most {
		p.press("j")
		at := eval[string](p, `(document.activeElement.closest("[data-line]") || document.body).innerText`)
		if strings.Contains(at, words) {
			return
		}
	}
	p.t.Fatalf("no line has %q; at %s", words, p.where())
}

// path returns the path of the page.
func (p *person) path() string {
	p.t.Helper()
	return eval[string](p, `location.pathname`)
}

// hledger checks the journal, and compares the accounts of money on its way, and of the bank, with the proof.
func (w *week) hledger(proof string) {
	var p struct{ Book, Open, Difference, Closing int64 }
	require.NoError(w.t, json.Unmarshal([]byte(proof), &p))
	require.Zero(w.t, p.Open)
	require.Zero(w.t, p.Difference)
	journal := filepath.Join(w.t.TempDir(), "week.journal")
	require.NoError(w.t, os.WriteFile(journal, []byte(w.s.Konbit("export", "journal", "--format", "hledger")), 0o600))
	runTool(w.t, nil, "hledger", "-f", journal, "check", "--strict", "ordereddates")
	rows, err := csv.NewReader(strings.NewReader(runTool(w.t, nil, "hledger", "-f", journal, "balance", "--flat", "--no-total", "--empty", "-O", "csv"))).ReadAll()
	require.NoError(w.t, err)
	sums := map[string]int64{"1015": 0, "1050": 0, "1100": 0}
	for _, row := range rows[1:] { // Assets:Tsne:Csio/general:1100-Bank, 22.67 USD
		name := strings.Split(row[0], ":")
		account, _, _ := strings.Cut(name[len(name)-1], "-")
		if _, wanted := sums[account]; wanted {
			amount, _, _ := strings.Cut(row[1], " ")
			minor, err := strconv.ParseInt(strings.Replace(amount, ".", "", 1), 10, 64)
			require.NoError(w.t, err)
			sums[account] += minor
		}
	}
	require.Equal(w.t, map[string]int64{"1015": 0, "1050": 0, "1100": p.Closing}, sums)
	require.Equal(w.t, p.Closing, p.Book)
}

// runTool runs a program of the distribution and returns its output.
func runTool(t *testing.T, in []byte, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("no %s on this machine; mend it with: make test-deps", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &complaint
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	require.NoError(t, cmd.Run(), "%s %q\n%s%s", name, args, out.String(), complaint.String())
	return out.String()
}

// pdfText returns the text of a document with each run of white space replaced by one space.
func pdfText(t *testing.T, pdf []byte) string {
	t.Helper()
	if dir := os.Getenv("KONBIT_SHOTS"); dir != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.pdf", len(pdf))), pdf, 0o600))
	}
	return strings.Join(strings.Fields(runTool(t, pdf, "pdftotext", "-raw", "-", "-")), " ")
}

func dollars(minor int64) string { return money.New(minor, "USD").FormatExact("en") }
