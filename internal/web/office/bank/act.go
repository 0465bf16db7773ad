package bank

import (
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/office/bank/suggest"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// linesPost matches, splits, sets aside, joins or undoes, in the order of the form. What was done already is done: the database has each line in
// at most one live match.
func (a *Area) linesPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var account bank.Account
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		account, err = a.account(r.Context(), tx, r, v)
		return err
	})
	if err != nil {
		return err
	}
	err = a.write(r, v, func(tx *sqlx.Tx) error { return a.doTx(r, tx, v, account) })
	if problems := refused(err); problems != nil {
		return a.writeLines(w, r, v, problems)
	}
	if fault.Is(err, fault.NotFound) {
		return web.NotFound()
	}
	if err != nil {
		return err
	}
	return desk.Redirect(w, r, desk.With(r.URL))
}

func (a *Area) doTx(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, account bank.Account) error {
	form := r.PostForm
	switch {
	case form.Get("accept") != "":
		return a.acceptTx(r, tx, v, account, form.Get("accept"))
	case form.Get("undo") != "":
		id, err := uuid.Parse(form.Get("undo"))
		if err != nil {
			return web.NotFound()
		}
		return a.Bank.UndoTx(r.Context(), tx, v.Entity.ID, id, strings.TrimSpace(form.Get("reason")))
	case form.Get("join") != "":
		part, err := bank.ParsePart(form.Get("join"))
		if err != nil {
			return err
		}
		return a.Bank.JoinTx(r.Context(), tx, v.Entity.ID, part)
	}
	do := form.Get("do")
	if do == "enter" { // in a field: what it is for
		if form.Get("split") != "" {
			do = "split"
		} else if form.Get("reason") != "" {
			do = "aside"
		}
	}
	switch do {
	case "accept_all":
		return a.acceptAllTx(r, tx, v, account)
	case "split":
		return a.splitTx(r, tx, v, account)
	case "aside":
		return a.matchTx(r, tx, v, account, []string{"aside:" + strings.Join(strings.Fields(form.Get("reason")), " ")}, nil)
	default:
		return a.matchTx(r, tx, v, account, form["item[]"], form["amount[]"])
	}
}

// acceptTx accepts a suggestion: LINE|ITEM|ITEM….
func (a *Area) acceptTx(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, account bank.Account, value string) error {
	parts := strings.Split(value, "|")
	line, err := bank.ParsePart(parts[0])
	if err != nil || len(parts) < 2 {
		return web.NotFound()
	}
	o := bank.Order{Account: account.Slug, Lines: []bank.Part{line}}
	l, err := bank.LineByID(r.Context(), tx, v.Entity.ID, line)
	if err != nil {
		return err
	}
	for _, item := range parts[1:] {
		c := bank.Chosen{Item: item}
		if strings.HasPrefix(item, bank.Transfer+":") {
			c.Amount = l.Amount
		}
		o.Items = append(o.Items, c)
	}
	_, err = a.Bank.MatchTx(r.Context(), tx, v.Catalog, v.Entity.ID, o)
	return err
}

// acceptAllTx accepts the suggestions that the page showed as sure. One that is no longer sure is refused with all others: look again.
func (a *Area) acceptAllTx(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, account bank.Account) error {
	m := a.monthOf(r, v)
	open, err := bank.OpenLines(r.Context(), tx, account.ID, m.First(), m.Last(), 10_000)
	if err != nil {
		return err
	}
	items, err := a.Bank.OpenItems(r.Context(), tx, account)
	if err != nil {
		return err
	}
	sure := map[string]bool{}
	for _, s := range suggest.For(open, items) {
		if s.Sure {
			sure[a.candidate(v, s.Line, s.Candidates[0]).Value] = true
		}
	}
	for _, value := range r.PostForm["suggestion"] {
		if !sure[value] {
			return fault.New(fault.Conflict, "office.bank.problem.changed", nil)
		}
		if err := a.acceptTx(r, tx, v, account, value); err != nil {
			return err
		}
	}
	return nil
}

func (a *Area) splitTx(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, account bank.Account) error {
	lines := r.PostForm["line[]"]
	if len(lines) != 1 {
		return fault.New(fault.Conflict, "office.bank.problem.one_line", nil)
	}
	part, err := bank.ParsePart(lines[0])
	if err != nil {
		return err
	}
	l, err := bank.LineByID(r.Context(), tx, v.Entity.ID, part)
	if err != nil || part.N != 0 {
		return fault.New(fault.Conflict, "office.bank.problem.one_line", nil)
	}
	amount, err := a.typedAmount(v, account, r.PostForm.Get("split"), l.Amount)
	if err != nil {
		return err
	}
	_, err = a.Bank.SplitTx(r.Context(), tx, v.Entity.ID, part.LineID, amount, r.PostForm.Get("reason"))
	return err
}

// typedAmount reads an amount as people type it. Without a sign it has the sign of like.
func (a *Area) typedAmount(v web.StaffVisit, account bank.Account, typed string, like int64) (int64, error) {
	typed = strings.TrimSpace(strings.ReplaceAll(typed, "−", "-"))
	digits := strings.TrimLeft(typed, "+-")
	amount, err := money.Parse(digits, account.Currency, string(v.Language))
	if err != nil {
		return 0, fault.New(fault.Conflict, "office.bank.problem.typed_amount", nil)
	}
	if strings.HasPrefix(typed, "-") || typed == digits && like < 0 {
		return -amount.Minor, nil
	}
	return amount.Minor, nil
}

// matchTx matches the chosen lines and items. amounts are those of the last items: a chosen row has its own. Where one item of bank itself has no
// amount, it takes what is left.
func (a *Area) matchTx(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, account bank.Account, items, amounts []string) error {
	o := bank.Order{Account: account.Slug}
	var rest int64
	for _, typed := range r.PostForm["line[]"] {
		part, err := bank.ParsePart(typed)
		if err != nil {
			return err
		}
		l, err := bank.LineByID(r.Context(), tx, v.Entity.ID, part)
		if err != nil {
			return err
		}
		o.Lines, rest = append(o.Lines, part), rest+l.Amount
	}
	open, err := a.Bank.OpenItems(r.Context(), tx, account)
	if err != nil {
		return err
	}
	known := map[string]int64{}
	for _, i := range open {
		known[i.Name()] = i.Amount
	}
	without := -1
	for n, name := range items {
		if name == "" {
			continue
		}
		c := bank.Chosen{Item: name}
		kind, _, _ := strings.Cut(name, ":")
		if at := n - len(items) + len(amounts); at >= 0 && strings.TrimSpace(amounts[at]) != "" {
			if c.Amount, err = a.typedAmount(v, account, amounts[at], rest); err != nil {
				return err
			}
			rest -= c.Amount
		} else if bank.IsOwn(kind) {
			without = len(o.Items)
		} else {
			rest -= known[name]
		}
		o.Items = append(o.Items, c)
	}
	if without >= 0 {
		o.Items[without].Amount = rest
	}
	_, err = a.Bank.MatchTx(r.Context(), tx, v.Catalog, v.Entity.ID, o)
	return err
}
