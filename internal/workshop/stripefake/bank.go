package stripefake

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile"
	"konbit/internal/workshop/bankfake"
)

// daysToBank is after how many days a payout stands on the statement of the bank.
const daysToBank = 2

// bankRequest adds a line to an account's bank statement: a deposit, rent, a returned check.
type bankRequest struct {
	Account   string
	Date      string // YYYY-MM-DD; empty: today
	Amount    int64  // minor units; negative if money leaves the account
	Text      string
	Reference string // check number; may be empty
}

// bankLine is one line before it is in a statement, with the second that orders it within its day.
type bankLine struct {
	at   int64
	line bankfile.Line
}

func (s *Server) panelBank(in bankRequest) (any, error) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	a := s.accountAtBank(in.Account)
	text := strings.Join(strings.Fields(in.Text), " ")
	if a == nil || in.Amount == 0 || text == "" {
		return nil, errors.New(`a line at the bank needs "account" (a known one), "amount" in minor units (negative: money leaves) and "text"; ` +
			`"date" (YYYY-MM-DD) and "reference" are optional`)
	}
	on := dayOf(s.now().Unix())
	if in.Date != "" {
		t, err := time.Parse(time.DateOnly, in.Date)
		if err != nil {
			return nil, errors.New(`"date" is a day like 2026-10-31`)
		}
		on = ledger.DateOf(t, time.UTC)
	}
	s.dirty = true
	return s.newTransaction(a).addBankLine(on.String(), in.Amount, text, strings.TrimSpace(in.Reference)).with(nil), nil
}

// addBankLine adds a line to the bank's statement, on a day like 2026-10-31.
func (t *transaction) addBankLine(on string, amount int64, text, reference string) object {
	return t.new("bank_line", "bl_", object{"date": on, "amount": amount, "text": text, "reference": reference})
}

// AtBank adds a line to an account's bank statement today. It does nothing at Stripe.
func (h *History) AtBank(account string, amount int64, text, reference string) error {
	return h.act(account, func(t *transaction) error {
		t.addBankLine(dayOf(t.now).String(), amount, text, reference)
		return nil
	})
}

// accountAtBank returns the account with a name, or whose bank account has the slug; nil if there is none.
func (s *Server) accountAtBank(name string) *account {
	i := slices.IndexFunc(s.accounts, func(a *account) bool { return name != "" && (a.Name == name || a.Bank.Slug == name) })
	if i < 0 {
		return nil
	}
	return s.accounts[i]
}

// dayOf returns the day of a Unix time, in UTC, as the stand-in's clock has it.
func dayOf(at int64) ledger.Date { return ledger.DateOf(time.Unix(at, 0), time.UTC) }

// linesAtBank returns the lines of an account at the bank up to now, oldest first: payouts two days after they were sent,
// those that came back, and what was added by hand.
func (s *Server) linesAtBank(a *account) (all []bankfile.Line) {
	var dated []bankLine
	add := func(at int64, l bankfile.Line) {
		if at <= s.now().Unix() {
			l.BookedOn = dayOf(at)
			dated = append(dated, bankLine{at, l})
		}
	}
	for _, po := range a.collection("payout").items {
		if po.str("currency") != "usd" {
			continue
		}
		id := po.str("id")
		trace := "ST-" + strings.ToUpper(id[len(id)-10:])
		name := "STRIPE"
		if d, ok := po["statement_descriptor"].(string); ok && d != "" {
			name = d
		}
		add(po.num("created")+daysToBank*day, bankfile.Line{Amount: po.num("amount"), Text: name + " TRANSFER " + trace, BankID: trace})
		if bt := a.get("balance_transaction", po.str("failure_balance_transaction")); bt != nil {
			add(max(po.num("created")+daysToBank*day, bt.num("created")), bankfile.Line{
				Amount: -po.num("amount"), Text: name + " TRANSFER RETURNED " + trace, BankID: trace + "R",
			})
		}
	}
	for _, l := range a.collection("bank_line").items {
		on, err := time.Parse(time.DateOnly, l.str("date"))
		if err == nil {
			add(on.Unix(), bankfile.Line{Amount: l.num("amount"), Text: l.str("text"), Reference: l.str("reference"), BankID: l.str("id")})
		}
	}
	slices.SortStableFunc(dated, func(x, y bankLine) int { return cmp.Compare(x.at-x.at%day, y.at-y.at%day) })
	for _, l := range dated {
		all = append(all, l.line)
	}
	return all
}

// BankStatement returns an account's statement of some days, both included, up to today.
func (s *Server) BankStatement(name string, from, to ledger.Date) (bankfile.Statement, error) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	a := s.accountAtBank(name)
	if a == nil {
		return bankfile.Statement{}, fmt.Errorf("no account is called %q", name)
	}
	var opening int64
	number := bankAccountOf(a)
	st := bankfile.Statement{Account: bankfile.Account{ID: number, Last4: number[len(number)-4:]}, Currency: "USD", From: from, To: to, Opening: &opening}
	for _, l := range s.linesAtBank(a) {
		switch {
		case l.BookedOn.String() < from.String():
			opening += l.Amount
		case l.BookedOn.String() <= to.String():
			st.Lines = append(st.Lines, l)
		}
	}
	return st, nil
}

// bankAccountOf returns the number of an account's bank account.
func bankAccountOf(a *account) string {
	if a.Bank.Number != "" {
		return a.Bank.Number
	}
	var n uint64 = 7
	for _, b := range []byte(a.Name) {
		n = (n*131 + uint64(b)) % 100_000_000
	}
	return fmt.Sprintf("00%08d", n)
}

// serveBank answers with the statement of ?account, from and to, in a format of package bankfake.
func (s *Server) serveBank(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from, err1 := time.Parse(time.DateOnly, q.Get("from"))
	to, err2 := time.Parse(time.DateOnly, q.Get("to"))
	format := cmp.Or(q.Get("format"), bankfake.CSV)
	if err1 != nil || err2 != nil || to.Before(from) || !slices.Contains(bankfake.Formats(), format) {
		reply(w, http.StatusBadRequest, object{"error": "a statement needs account, from and to (days like 2026-10-31), and format, one of " +
			strings.Join(bankfake.Formats(), ", ")})
		return
	}
	st, err := s.BankStatement(q.Get("account"), ledger.DateOf(from, time.UTC), ledger.DateOf(to, time.UTC))
	if err != nil {
		reply(w, http.StatusNotFound, object{"error": err.Error()})
		return
	}
	var file bytes.Buffer
	if err := bankfake.Write(&file, format, st); err != nil {
		reply(w, http.StatusInternalServerError, object{"error": err.Error()})
		return
	}
	name := fmt.Sprintf("%s-%s-%s%s", q.Get("account"), q.Get("from"), q.Get("to"), bankfake.Extension(format))
	w.Header().Set("Content-Type", bankfake.MediaType(format))
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(file.Bytes()) // an error means that the reader has closed the connection
}
