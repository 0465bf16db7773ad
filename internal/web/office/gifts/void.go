package gifts

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/office/bank"
	"konbit/internal/office/correction"
	"konbit/internal/office/giftlist"
	"konbit/internal/office/offline"
	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/batches"
	"konbit/internal/web/office/desk"
)

// ChangePage asks a second person to void a gift, or to post another one in its place.
type ChangePage struct {
	desk.Page
	Title, Says string
	Action      string // empty: nothing can be asked for
	GiftURL     string
	Who         string
	Amount      money.Amount
	WhyNot      string // why nothing can be asked for; may be empty
	Undo        *Link  // what to undo first; nil: nothing
	Effect      *desk.Shown

	Submission string
	Row        *batches.RowForm // of the gift in its place; nil: it is voided
	Head       []view.Field     // day and bank account of that gift
	Reason     view.Field
	Factor     desk.Factor
	Asks       bool // the form can be sent to a second person: the page shows what it does
	Button     string
	Errors     []view.FormError
}

// changed is what corrections say of a gift on its page.
type changed struct {
	voided  bool
	offered bool // the reader may ask for one
	links   []Link
}

// changedOf returns what corrections say of a gift.
func (a *Area) changedOf(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, gift uuid.UUID) (c changed, err error) {
	voided, err := giftlist.VoidedOf(ctx, tx, []uuid.UUID{gift})
	if c.voided = voided[gift]; err != nil {
		return c, err
	}
	posted, err := offline.OfDonation(ctx, tx, gift)
	if err != nil || len(posted) == 0 || v.Organisation != nil { // corrections are the entity's
		return c, err
	}
	waits, err := correction.Waiting(ctx, tx, posted[0].ID)
	if err != nil {
		return c, err
	}
	if waits != nil {
		c.links = append(c.links, Link{a.View.Phrase(v.Language, "office.void.waits"), v.Path("approvals/" + waits.ID.String())})
	}
	done, err := correction.Of(ctx, tx, posted[0].ID)
	if err != nil {
		return c, err
	}
	for _, d := range done {
		other, key := d.NewGiftID.UUID, "office.void.corrected_by"
		if d.NewGiftID.UUID == posted[0].ID {
			other, key = d.GiftID, "office.void.corrects"
		}
		ref, err := a.refOf(ctx, tx, v, other)
		if err != nil {
			return c, err
		}
		if ref != "" {
			c.links = append(c.links, Link{a.View.Phrase(v.Language, key), v.Path("gifts/" + ref)})
		}
	}
	c.offered = !c.voided && waits == nil && mayCorrect(v)
	return c, nil
}

// refOf returns the public reference of an offline gift; empty if there is none.
func (a *Area) refOf(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, id uuid.UUID) (string, error) {
	g, err := offline.ByGiftID(ctx, tx, v.Entity.ID, id)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	d, err := donation.ByID(ctx, tx, g.DonationID.UUID)
	return d.PublicRef, err
}

// mayCorrect reports whether the visit's person asks for corrections: money belongs to the legal entity, so the role is held there.
func mayCorrect(v web.StaffVisit) bool {
	return v.Organisation == nil && v.Has(staff.Scope{EntityID: v.Entity.ID}, staff.Finance)
}

// change is what a request about a correction is about.
type change struct {
	gift   correction.Gift
	who    string
	effect correction.Effect
	waits  *approval.Stored
	whyNot string // a phrase; empty: the person may ask

	form     *batches.Single // of the gift in its place; nil: none
	received string          // as typed
	account  string
	act      correction.Act
	ready    bool // act says what the form asks for
	problems []fault.Field
	proof    desk.Proof
}

// load reads the gift that the address names, and what voiding it does.
func (a *Area) load(ctx context.Context, tx *sqlx.Tx, r *http.Request, v web.StaffVisit) (c change, err error) {
	d, err := donation.ByRef(ctx, tx, chi.URLParam(r, "ref"))
	if err == nil && (d.EntityID != v.Entity.ID || v.Organisation != nil && d.OrganisationID != v.Organisation.ID) {
		return c, web.NotFound()
	}
	if err != nil {
		return c, err
	}
	if c.gift, err = correction.GiftOf(ctx, tx, d); fault.Is(err, fault.NotFound) {
		c.whyNot, err = "office.void.why.processor", nil
	}
	if err != nil {
		return c, err
	}
	contact, err := donation.ContactOf(ctx, tx, d.ID)
	if err != nil {
		return c, err
	}
	if contact != nil {
		c.who = cmp.Or(contact.OrganisationName, strings.TrimSpace(contact.FirstName+" "+contact.LastName), contact.Email)
	}
	c.act = correction.Act{EntityID: v.Entity.ID, GiftID: c.gift.ID, Paid: money.New(c.gift.PaidMinor, money.Currency(d.Currency))}
	if c.whyNot != "" {
		c.act.Paid = d.Amount()
	} else if !mayCorrect(v) {
		c.whyNot = "office.void.why.role"
	}
	if c.whyNot != "" {
		return c, nil
	}
	if c.effect, err = a.Corrections.EffectOf(ctx, tx, v.Catalog, c.gift); err != nil {
		return c, err
	}
	c.waits, err = correction.Waiting(ctx, tx, c.gift.ID)
	return c, err
}

func (a *Area) voidGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	c, err := a.loaded(r, v)
	if err != nil {
		return err
	}
	c.ready = true
	return a.showChange(w, r, v, c)
}

func (a *Area) loaded(r *http.Request, v web.StaffVisit) (c change, err error) {
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		c, err = a.load(r.Context(), tx, r, v)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		err = web.NotFound()
	}
	return c, err
}

// voidPost asks a second person to void the gift. The same form sent again is the same request.
func (a *Area) voidPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	c, err := a.loaded(r, v)
	if err != nil {
		return err
	}
	c.ready = true
	return a.ask(w, r, v, c)
}

// reasonOf reads why, and says what is wrong with it.
func (c *change) reasonOf(r *http.Request) {
	c.act.Reason = strings.Join(strings.Fields(r.PostForm.Get("reason")), " ")
	if n := len([]rune(c.act.Reason)); n == 0 || n > correction.MaxReason || strings.ContainsRune(c.act.Reason, 0) {
		c.problems = append(c.problems, fault.Field{Name: "reason", Phrase: "office.tasks.reason_needed"})
	}
}

// ask asks a second person for what the form says, after a fresh factor.
func (a *Area) ask(w http.ResponseWriter, r *http.Request, v web.StaffVisit, c change) error {
	c.reasonOf(r)
	submission, err := uuid.Parse(r.PostForm.Get("submission"))
	switch {
	case c.whyNot != "":
		securitylog.Record(r.Context(), securitylog.RoleRefused)
		return a.showChange(w, r, v, c)
	case c.waits != nil:
		return desk.Redirect(w, r, v.Path("approvals/"+c.waits.ID.String()))
	case err != nil || c.effect.Now != nil || !c.ready || len(c.problems) > 0:
		return a.showChange(w, r, v, c)
	}
	ask := c.act.RequestOf(submission, v.StaffID)
	if c.proof, err = a.ProveMoney(r, &v, ask.Text()); err != nil {
		return err
	}
	if !c.proof.OK {
		return a.showChange(w, r, v, c)
	}
	v.FactorIsFresh = true
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error { return correction.AskTx(r.Context(), tx, c.act, ask) })
	var known *fault.Error
	switch rule := approval.Refused(err); {
	case err == nil:
		return desk.Redirect(w, r, desk.WithQuery(v.Path("approvals/"+ask.ID.String()), "said", "asked"))
	case rule != "" && a.View.HasPhrase("office.rule."+rule):
		c.problems = append(c.problems, fault.Field{Name: "submit", Phrase: "office.rule." + rule})
		return a.showChange(w, r, v, c)
	case errors.As(err, &known) && (known.Kind == fault.Conflict || known.Kind == fault.Forbidden):
		c.problems = append(c.problems, fault.Field{Name: "submit", Phrase: known.Phrase, Args: known.Args})
		return a.showChange(w, r, v, c)
	}
	return err
}

// showChange writes the page.
func (a *Area) showChange(w http.ResponseWriter, r *http.Request, v web.StaffVisit, c change) (err error) {
	say := func(key string, args ...any) string { return a.View.Phrase(v.Language, "office.void."+key, args...) }
	path, title := "/void", "title"
	if c.form != nil {
		path, title = "/correct", "title_correct"
	}
	p := ChangePage{Page: a.PageOf(r, v, "gifts"), Title: say(title), Says: say(title + "_says"), GiftURL: v.Path("gifts/" + c.gift.Donation.PublicRef), Who: c.who,
		Amount: c.act.Paid, Submission: r.PostForm.Get("submission")}
	if _, err := uuid.Parse(p.Submission); err != nil {
		p.Submission = a.NewID().String()
	}
	p.Problems = append(c.problems, c.proof.Problems...)
	if c.form != nil {
		p.Problems = append(p.Problems, c.form.Problems()...)
	}
	form := p.Page.Form(a.View)
	switch why := (*fault.Error)(nil); {
	case c.whyNot != "":
		p.WhyNot = a.View.Phrase(v.Language, c.whyNot, "entity", v.Entity.LegalName)
	case c.waits != nil:
		p.WhyNot, p.Undo = say("asked"), &Link{say("waits"), v.Path("approvals/" + c.waits.ID.String())}
	case errors.As(c.effect.Now, &why):
		p.WhyNot, p.Undo = a.View.ErrorText(v.Language, fault.Field{Phrase: why.Phrase, Args: why.Args}), a.undo(v, c.effect.Obstacle)
	default:
		p.Action, p.Asks, p.Button = p.GiftURL+path, c.ready, say("button")
		if c.ready {
			effect := a.shownOf(v, c.gift, c.effect, c.act, c.who, "")
			p.Effect = &effect
		}
		p.Reason = desk.Field(form, a.View, "reason", c.act.Reason, view.Field{Area: true, Required: true})
		p.Reason.Label, p.Reason.Hint = say("reason"), say("reason_hint")
		if c.form != nil {
			a.addForm(v, c, form, &p)
		}
		if p.Asks {
			if p.Factor, err = a.MoneyFactorOf(r, v, c.proof, false); err != nil {
				return err
			}
		}
	}
	own := a.View.NewForm(v.Language, append(c.problems, c.proof.Problems...))
	p.Errors = desk.ErrorsOf(own, v.Language, a.View, append(p.Head, p.Reason, view.Field{FieldText: view.FieldText{Name: "submit", Label: p.Title}})...)
	if c.form != nil {
		p.Errors = append(c.form.Errors(), p.Errors...)
	}
	return a.Write(w, desk.StatusOf(p.Problems), "gift_change", v.Language, p)
}

// undo leads to what has the gift; nil if nothing does.
func (a *Area) undo(v web.StaffVisit, o *correction.Obstacle) *Link {
	switch {
	case o == nil:
		return nil
	case o.Match != nil:
		month := bank.Month{Year: o.Match.On.Year, Month: o.Match.On.Month}
		return &Link{a.View.Phrase(v.Language, "office.void.to_match"), v.Path("bank/" + o.Match.Account + "/lines?month=" + month.String())}
	}
	return &Link{a.View.Phrase(v.Language, "office.void.to_deposit"), v.Path("deposits/" + itoa(o.Deposit))}
}
