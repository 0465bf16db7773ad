package bank

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/office/bank"
	"konbit/internal/office/offline"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/batches"
	"konbit/internal/web/office/desk"
)

// GiftPage makes a gift of a line of the bank. Day and amount are the line's.
type GiftPage struct {
	desk.Page
	Title  string
	Back   string
	Pairs  []desk.Pair // the line
	Says   string
	Row    *batches.RowForm // nil: the reader makes none, or the line is matched
	Errors []view.FormError
}

// notAsked are the fields of a row that the line answers, or that are about paper.
var notAsked = []string{"amount", "method", "postmarked_on", "counted_by"}

func giftPath(v web.StaffVisit, account bank.Account, l bank.Line) string {
	return pathOf(v, account, "/gift?line="+l.Part().String())
}

// lineOf returns the account and the line that the address names: one of money that came.
func (a *Area) lineOf(ctx context.Context, q sqlx.QueryerContext, r *http.Request, v web.StaffVisit) (account bank.Account, l bank.Line, err error) {
	if account, err = a.account(ctx, q, r, v); err != nil {
		return account, l, err
	}
	part, err := bank.ParsePart(r.URL.Query().Get("line"))
	if err == nil {
		l, err = bank.LineByID(ctx, q, v.Entity.ID, part)
	}
	if err == nil && (l.AccountID != account.ID || l.Amount <= 0) || fault.Is(err, fault.NotFound) {
		err = web.NotFound()
	}
	return account, l, err
}

// batchOf returns the batch of one row that the gift is posted in.
func batchOf(v web.StaffVisit, account bank.Account, l bank.Line) offline.Batch {
	return offline.Batch{EntityID: v.Entity.ID, ReceivedOn: l.BookedOn, Currency: account.Currency, Account: account.Slug}
}

func (a *Area) giftGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var account bank.Account
	var l bank.Line
	without := r.URL.Query().Get("line") == ""
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if without {
			account, err = a.account(r.Context(), tx, r, v)
			return err
		}
		account, l, err = a.lineOf(r.Context(), tx, r, v)
		return err
	})
	if err != nil {
		return err
	}
	if without {
		p := GiftPage{Page: a.PageOf(r, v, "bank"), Title: a.say(v, "office.bank.gift.title_none"), Back: pathOf(v, account, "/lines"), Says: a.say(v, "office.bank.gift.none")}
		return a.Write(w, http.StatusOK, "bank_gift", v.Language, p)
	}
	typed := offline.Typed{}
	if n := len([]rune(l.Reference)); n > 0 && n <= 60 {
		typed["number"] = l.Reference
	}
	return a.showGift(w, r, v, account, l, a.Gifts.SingleFrom(v, batchOf(v, account, l), typed, uuid.NullUUID{}, ""))
}

func (a *Area) showGift(w http.ResponseWriter, r *http.Request, v web.StaffVisit, account bank.Account, l bank.Line, form *batches.Single) error {
	month := bank.Month{Year: l.BookedOn.Year, Month: l.BookedOn.Month}
	p := GiftPage{Page: a.PageOf(r, v, "bank"), Title: a.say(v, "office.bank.gift.title", "amount", account.Amount(l.Amount)),
		Back: pathOf(v, account, "/lines?month="+month.String())}
	p.Problems = form.Problems()
	text := l.Text
	if text == "" {
		text = a.say(v, "office.bank.lines.erased")
	}
	p.Pairs = []desk.Pair{
		{Label: a.say(v, "office.bank.gift.day"), Cell: desk.Cell{Day: midnight(l.BookedOn)}},
		{Label: a.say(v, "office.today.amount"), Cell: desk.AmountCell(account.Amount(l.Amount))},
		{Label: a.say(v, "office.bank.gift.text"), Cell: desk.Cell{Text: text, Soft: l.Reference}},
		{Label: a.say(v, "office.bank.account"), Cell: desk.Cell{Text: account.Name}},
	}
	switch {
	case l.MatchID != nil:
		p.Says = a.say(v, "office.bank.gift.matched")
	case !a.mayAct(v):
		p.Says = a.say(v, "office.bank.gift.role")
	default:
		p.Says = a.say(v, "office.bank.gift.says")
		p.Row = form.Form(p.Form(a.View), giftPath(v, account, l), notAsked...)
	}
	p.Errors = form.Errors()
	return a.Write(w, desk.StatusOf(p.Problems), "bank_gift", v.Language, p)
}

// giftPost posts the gift and matches it with the line, in one transaction. The same form sent again is the same gift.
func (a *Area) giftPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var account bank.Account
	var l bank.Line
	var form *batches.Single
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if account, l, err = a.lineOf(r.Context(), tx, r, v); err != nil {
			return err
		}
		form = a.Gifts.SingleOf(r, v, batchOf(v, account, l), offline.Typed{
			"amount": account.Amount(l.Amount).Decimal(), "method": string(offline.Transfer), "postmarked_on": "", "counted_by": "",
		})
		return form.Find(r.Context(), tx)
	})
	if err != nil {
		return err
	}
	typed, meaning, ok := form.Check()
	if !ok || form.JustFound() {
		return a.showGift(w, r, v, account, l, form)
	}
	b := batchOf(v, account, l)
	b.ID, b.Submission = a.NewID(), form.Submission()
	err = a.write(r, v, func(tx *sqlx.Tx) error {
		return a.postGiftTx(r.Context(), tx, v, l, offline.Single{Batch: b, Typed: typed, Meaning: meaning})
	})
	problems := batches.Refused(err)
	if problems == nil {
		problems = refused(err)
	}
	if problems != nil {
		form.Add(problems...)
		return a.showGift(w, r, v, account, l, form)
	}
	if err != nil {
		return err
	}
	return desk.Redirect(w, r, pathOf(v, account, "/lines?month="+bank.Month{Year: l.BookedOn.Year, Month: l.BookedOn.Month}.String()))
}

// postGiftTx posts a gift and matches it with its line. It reports bank.ErrClosed if the line's month is closed.
func (a *Area) postGiftTx(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, l bank.Line, one offline.Single) error {
	closed, err := ledger.ClosedThrough(ctx, tx, v.Entity.ID)
	if err != nil {
		return err
	}
	if l.BookedOn.String() <= closed.String() {
		return bank.ErrClosed
	}
	row, done, err := a.Gifts.Poster.PostSingleTx(ctx, tx, v.Catalog, one)
	if err != nil || !done {
		return err
	}
	gift, err := donation.ByID(ctx, tx, offline.DonationOf(row))
	if err != nil {
		return err
	}
	_, err = a.Bank.MatchTx(ctx, tx, v.Catalog, v.Entity.ID, bank.Order{
		Account: one.Batch.Account, Lines: []bank.Part{l.Part()}, Items: []bank.Chosen{{Item: "gift:" + gift.PublicRef, Amount: l.Amount}},
	})
	return err
}
