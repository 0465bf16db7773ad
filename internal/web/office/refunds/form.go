package refunds

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/office/refund"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/web"
)

// Form is what was typed into the form of a refund.
type Form struct {
	Parts              map[string]string // by the fund's slug
	Amount             string            // one amount, spread over the funds by what is left of each
	All                bool              // all that is left
	Reason, Note, Step string
	Submission         string // its one-time id
}

// The steps of the form, by the field step. Without one, a form is one that orders.
const (
	stepForm  = "form"  // type it again
	stepCheck = "check" // show what it does
)

var partField = regexp.MustCompile(`^part\[([a-z0-9-]+)\]$`)

func readForm(f url.Values) Form {
	form := Form{
		Parts: map[string]string{}, Amount: strings.TrimSpace(f.Get("amount")), All: f.Get("all") != "" && f.Get("all") != "0",
		Reason: f.Get("reason"), Note: f.Get("note"), Step: f.Get("step"), Submission: f.Get("submission"),
	}
	for name := range f {
		if part := partField.FindStringSubmatch(name); part != nil {
			form.Parts[part[1]] = strings.TrimSpace(f.Get(name))
		}
	}
	return form
}

// maxNote is the longest note, in characters.
const maxNote = 500

// request returns the refund that a form asks for of a gift, or every field that is wrong. left is what the funds have.
func (f Form) request(v web.StaffVisit, g donation.Donation, left []refund.PartEffect) (r refund.Request, bad []fault.Field) {
	wrong := func(name, key string, args fault.Args) {
		bad = append(bad, fault.Field{Name: name, Phrase: key, Args: args})
	}
	r = refund.Request{
		EntityID: v.Entity.ID, DonationID: g.ID, Reason: refund.Reason(f.Reason),
		Note: strings.TrimSpace(strings.ReplaceAll(f.Note, "\r\n", "\n")), RequestedBy: v.StaffID,
	}
	r.Submission, _ = uuid.Parse(f.Submission)
	known := map[string]bool{}
	for _, fund := range left {
		slug := fund.Fund.Slug
		known[slug] = true
		amount, problem, args := amountOf(f.Parts[slug], currencyOf(g), string(v.Language))
		switch {
		case problem != "":
			wrong(partID(slug), problem, args)
		case amount.Minor > max(fund.Left, 0):
			key := "office.refund.error.left"
			if len(left) == 1 {
				key = "office.refund.error.left_gift"
			}
			wrong(partID(slug), key, fault.Args{"left": money.New(max(fund.Left, 0), currencyOf(g))})
		case amount.Minor > 0:
			r.Parts = append(r.Parts, refund.Part{FundID: fund.Fund.ID, Amount: amount.Minor})
		}
	}
	for slug, typed := range f.Parts {
		if !known[slug] && typed != "" {
			wrong("all", "refund.problem.parts", nil)
		}
	}
	switch {
	case len(bad) > 0:
	case f.Amount != "" && (f.All || len(r.Parts) > 0):
		wrong("amount", "office.refund.error.both_amounts", nil)
	case f.Amount != "":
		parts, problem, args := f.spread(v, g, left)
		if r.Parts = parts; problem != "" {
			wrong("amount", problem, args)
		}
	case f.All && len(r.Parts) > 0:
		wrong("all", "office.refund.error.both", nil)
	case f.All:
		r.All = true
	case len(r.Parts) == 0:
		first := "all"
		for _, fund := range slices.Backward(left) {
			if fund.Left > 0 {
				first = partID(fund.Fund.Slug)
			}
		}
		wrong(first, "office.refund.error.none", nil)
	}
	if !validReason(r.Reason) {
		wrong("reason", "office.refund.error.reason", nil)
	}
	if len([]rune(r.Note)) > maxNote || strings.ContainsRune(r.Note, 0) {
		wrong("note", "office.refund.error.note", nil)
	}
	return r, bad
}

// spread divides the amount over the funds in proportion to what is left of each, or says what is wrong with it.
func (f Form) spread(v web.StaffVisit, g donation.Donation, funds []refund.PartEffect) (parts []refund.Part, problem string, args fault.Args) {
	amount, problem, args := amountOf(f.Amount, currencyOf(g), string(v.Language))
	left, sum := make([]int64, len(funds)), int64(0)
	for i, fund := range funds {
		left[i] = max(fund.Left, 0)
		sum += left[i]
	}
	switch {
	case problem != "":
		return nil, problem, args
	case amount.Minor == 0:
		return nil, "office.refund.error.none", nil
	case amount.Minor > sum:
		return nil, "office.refund.error.left_gift", fault.Args{"left": money.New(sum, currencyOf(g))}
	}
	shares, err := amount.Split(left) // none is above what is left, because the sum is not
	if err != nil {
		return nil, "office.refund.error.amount", nil
	}
	for i, share := range shares {
		if share.Minor > 0 {
			parts = append(parts, refund.Part{FundID: funds[i].Fund.ID, Amount: share.Minor})
		}
	}
	return parts, "", nil
}

func validReason(r refund.Reason) bool {
	for _, known := range refund.Reasons {
		if r == known {
			return true
		}
	}
	return false
}

// partID is the name of a fund's field in errors, and its id.
func partID(slug string) string { return "part-" + slug }

// amountOf reads an amount as people type it. An empty field is zero.
func amountOf(typed string, c money.Currency, lang string) (amount money.Amount, problem string, args fault.Args) {
	if typed == "" {
		return money.New(0, c), "", nil
	}
	amount, err := money.Parse(typed, c, lang)
	var two *money.AmbiguousError
	switch {
	case errors.As(err, &two):
		return amount, "office.refund.error.ambiguous", fault.Args{"large": two.Large, "small": two.Small}
	case err != nil || amount.Minor < 0:
		return amount, "office.refund.error.amount", nil
	}
	return amount, "", nil
}

// says reports whether a form that was sent before asks for the same refund now. What is left of a fund may have changed.
func (f Form) says(was refund.Request, g donation.Donation, funds []refund.PartEffect, lang string) bool {
	if refund.Reason(f.Reason) != was.Reason {
		return false
	}
	if f.All {
		return true
	}
	if f.Amount != "" {
		amount, problem, _ := amountOf(f.Amount, currencyOf(g), lang)
		return problem == "" && amount.Minor == sumOf(was.Parts)
	}
	amounts := map[uuid.UUID]int64{}
	for _, p := range was.Parts {
		amounts[p.FundID] = p.Amount
	}
	for _, fund := range funds {
		amount, problem, _ := amountOf(f.Parts[fund.Fund.Slug], currencyOf(g), lang)
		if problem != "" || amount.Minor != amounts[fund.Fund.ID] {
			return false
		}
	}
	return true
}

// typed returns the form that asks for exactly what a preview shows, fund by fund.
func typed(f Form, p refund.Preview, funds []refund.PartEffect) Form {
	f.All, f.Amount, f.Parts = false, "", map[string]string{}
	for _, fund := range funds {
		for _, part := range p.Request.Parts {
			if part.FundID == fund.Fund.ID {
				f.Parts[fund.Fund.Slug] = money.New(part.Amount, p.Amount.Currency).Decimal()
			}
		}
	}
	return f
}

func currencyOf(g donation.Donation) money.Currency { return money.Currency(g.Currency) }
