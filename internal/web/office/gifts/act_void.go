package gifts

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/office/correction"
	"konbit/internal/office/offline"
	"konbit/internal/people/approval"
	"konbit/internal/platform/fault"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// VoidAct is how the pages of approvals show and execute a void or a correction.
func (a *Area) VoidAct() desk.Act {
	execute := func(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) error {
		return correction.Refusal(a.Corrections.ExecuteTx(ctx, tx, v.Catalog, r))
	}
	return desk.Act{Kind: approval.Void, Title: a.voidTitle, Show: a.showAsked, ExecuteTx: execute}
}

func (a *Area) voidTitle(v web.StaffVisit, r approval.Stored) string {
	s, err := correction.ReadBody(r.Body)
	if err != nil {
		return a.View.Phrase(v.Language, "office.today.approval.void")
	}
	key := "office.void.act"
	if s.Corrects {
		key = "office.void.act_correct"
	}
	return a.View.Phrase(v.Language, key, "amount", s.Paid)
}

// showAsked shows the second person what the first one saw; of a request that is not open, what it asked for.
func (a *Area) showAsked(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) (s desk.Shown, err error) {
	act, err := correction.Asked(ctx, tx, r)
	changed := fault.Is(err, fault.Conflict)
	if err != nil && !changed {
		return s, err
	}
	posted, err := offline.ByGiftID(ctx, tx, v.Entity.ID, act.GiftID)
	if err != nil {
		return s, err
	}
	d, err := donation.ByID(ctx, tx, posted.DonationID.UUID)
	if err != nil {
		return s, err
	}
	g, err := correction.GiftOf(ctx, tx, d)
	if err != nil {
		return s, err
	}
	var effect correction.Effect
	if r.State == approval.Open {
		if effect, err = a.Corrections.EffectOf(ctx, tx, v.Catalog, g); err != nil {
			return s, err
		}
	}
	if changed {
		effect.Now, act.New = correction.ErrChanged, nil
	}
	donors, err := a.donorNames(ctx, tx, v, g, act)
	if err != nil {
		return s, err
	}
	s = a.shownOf(v, g, effect, act, donors[0], donors[1])
	if act.Reason != "" {
		s.Pairs = append(s.Pairs, desk.Pair{Label: a.View.Phrase(v.Language, "office.void.reason"), Cell: desk.Cell{Text: act.Reason}})
	}
	if r.State == approval.Executed {
		done, err := correction.Of(ctx, tx, g.ID)
		if err != nil {
			return s, err
		}
		for _, v2 := range done {
			if v2.GiftID == g.ID && v2.NewGiftID.Valid {
				ref, err := a.refOf(ctx, tx, v, v2.NewGiftID.UUID)
				if err != nil {
					return s, err
				}
				next := desk.Cell{Text: ref, URL: v.Path("gifts/" + ref)}
				s.Pairs = append(s.Pairs, desk.Pair{Label: a.View.Phrase(v.Language, "office.void.label.new"), Cell: next})
			}
		}
	}
	s.Button, s.Now = a.voidTitle(v, r), effect.Now
	return s, nil
}

// donorNames returns the names of the donor of a gift, and of the one in its place; empty if there is none, or if it is new.
func (a *Area) donorNames(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, g correction.Gift, act correction.Act) (names [2]string, err error) {
	ids := []uuid.UUID{g.Donation.DonorID}
	if act.New != nil && act.New.DonorID.Valid {
		ids = append(ids, act.New.DonorID.UUID)
	}
	found, err := donor.ByIDs(ctx, tx, ids)
	for _, who := range found {
		name := cmp.Or(who.OrganisationName, strings.TrimSpace(who.FirstName+" "+who.LastName), who.Email)
		if who.ID == ids[0] {
			names[0] = name
		}
		if len(ids) > 1 && who.ID == ids[1] {
			names[1] = name
		}
	}
	for i := range names {
		names[i] = cmp.Or(names[i], map[bool]string{true: a.say(v, "erased")}[i == 0])
	}
	return names, err
}

// shownOf returns what an act does, as both persons see it before.
func (a *Area) shownOf(v web.StaffVisit, g correction.Gift, e correction.Effect, act correction.Act, who, newWho string) (s desk.Shown) {
	say := func(key string, args ...any) string { return a.View.Phrase(v.Language, "office.void."+key, args...) }
	add := func(label string, cell desk.Cell) { s.Pairs = append(s.Pairs, desk.Pair{Label: label, Cell: cell}) }
	add(say("label.gift"), desk.Cell{Text: act.Paid.FormatExact(string(v.Language)) + ", " + who, URL: v.Path("gifts/" + g.Donation.PublicRef)})
	sameDonor := act.New != nil && act.New.DonorID.UUID == g.Donation.DonorID
	if act.New != nil {
		s.Pairs = append(s.Pairs, a.differences(v, g, *act.New, who, newWho)...)
	}
	replaced := sameDonor && e.Receipt != "" && offline.GivenBy(act.New.Typed["given_by"]).HasReceipt()
	receipt, email := "void", "void"
	switch {
	case e.Receipt == "":
		receipt, email = "none", "none"
	case replaced:
		receipt, email = "replaced", "replaced"
	}
	if !e.HasEmail {
		email = "no_address"
	}
	if e.Now == nil {
		add(say("label.receipt"), desk.Cell{Text: say("receipt."+receipt, "number", e.Receipt)})
		add(say("label.email"), desk.Cell{Text: say("email." + email)})
	}
	if e.Funds == nil {
		return s
	}
	column := func(name string, number bool) desk.Column {
		return desk.Column{Name: name, Label: say("column." + name), Number: number}
	}
	s.Table = &desk.Table{Caption: say("by_fund"), Columns: []desk.Column{
		column("fund", false), column("was", true), column("fee", true), column("becomes", true),
	}}
	next := map[uuid.UUID]int64{}
	var order []uuid.UUID
	if act.New != nil {
		meaning, _ := correction.CheckerOf(v.Catalog, v.Entity, act.New.ReceivedOn).Check(act.New.Typed, offline.Choice{ID: g.Donation.DonorID})
		for _, p := range meaning.Parts {
			next[p.FundID] = p.Minor
			order = append(order, p.FundID)
		}
	}
	for _, f := range e.Funds {
		s.Table.Rows = append(s.Table.Rows, desk.Row{Cells: []desk.Cell{
			{Text: f.Fund.Name.In(v.Language)}, amountCell(v, f.Gift), amountCell(v, f.SponsorFee), amountCell(v, next[f.Fund.ID]),
		}})
		order = slices.DeleteFunc(order, func(id uuid.UUID) bool { return id == f.Fund.ID })
	}
	for _, id := range order {
		if f, err := v.Catalog.Fund(id); err == nil {
			s.Table.Rows = append(s.Table.Rows, desk.Row{Cells: []desk.Cell{{Text: f.Name.In(v.Language)}, amountCell(v, 0), amountCell(v, 0), amountCell(v,
				next[id])}})
		}
	}
	return s
}

// differences returns what a correction changes, field by field.
func (a *Area) differences(v web.StaffVisit, g correction.Gift, n correction.New, who, newWho string) (pairs []desk.Pair) {
	was := a.standing(v, g)
	add := func(name, from, to string) {
		if from == to {
			return
		}
		none := a.View.Phrase(v.Language, "office.void.nothing")
		pairs = append(pairs, desk.Pair{Label: a.View.Phrase(v.Language, "office.batch.field."+name), Cell: desk.Cell{
			Text: a.View.Phrase(v.Language, "office.void.difference", "from", cmp.Or(from, none), "to", cmp.Or(to, none)),
		}})
	}
	if n.DonorID != was.DonorID {
		if newWho == "" {
			newWho = cmp.Or(n.Typed["organisation"], strings.TrimSpace(n.Typed["first_name"]+" "+n.Typed["last_name"]))
		}
		add("donor", who, newWho)
	}
	add("received_on", was.ReceivedOn.String(), n.ReceivedOn.String())
	add("account", was.Account, n.Account)
	for _, name := range offline.FieldNames {
		from, to := was.Typed[name], n.Typed[name]
		switch name {
		case "fund", "soft_credit", "donor":
			continue
		case "method", "given_by":
			if from != "" && to != "" {
				from, to = a.View.Phrase(v.Language, "office.batch."+name+"."+from), a.View.Phrase(v.Language, "office.batch."+name+"."+to)
			}
		}
		add(name, from, to)
	}
	if was.Typed["soft_credit"] != n.Typed["soft_credit"] {
		changes := desk.Cell{Text: a.View.Phrase(v.Language, "office.void.changes")}
		pairs = append(pairs, desk.Pair{Label: a.View.Phrase(v.Language, "office.batch.field.soft_credit"), Cell: changes})
	}
	return pairs
}
