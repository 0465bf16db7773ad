package refunds

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
	"konbit/internal/office/refund"
	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/securitylog"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// refundGet shows the form of a refund, and the refunds of the gift; or what a form in the address would do.
func (a *Area) refundGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var form Form
	sealed := r.URL.Query().Get("check")
	opened := sealed != "" && a.OpenForm(v, "refund "+chi.URLParam(r, "ref"), sealed, &form)
	s, err := a.load(r, v, form, opened)
	switch {
	case err != nil:
		return err
	case s.sent != "":
		return desk.Redirect(w, r, s.sent)
	}
	s.check, s.old = s.preview != nil, sealed != "" && !opened
	return a.showRefund(w, r, v, s)
}

// toCheck leads to the page that shows what the form would do. If there is no key to seal the form, this response shows it.
func (a *Area) toCheck(w http.ResponseWriter, r *http.Request, v web.StaffVisit, s state) error {
	sealed, err := a.SealForm(v, "refund "+s.gift.PublicRef, s.form)
	if err != nil {
		s.check = true
		return a.showRefund(w, r, v, s)
	}
	to := refundURL(v, s.gift.PublicRef)
	if lang := r.URL.Query().Get("lang"); lang != "" {
		to += "lang=" + url.QueryEscape(lang) + "&"
	}
	return desk.Redirect(w, r, to+"check="+sealed)
}

// refundPost does a step of the form: shows what a refund would do, and orders it or asks a second person.
func (a *Area) refundPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	s, err := a.load(r, v, readForm(r.PostForm), true)
	if err != nil {
		return err
	}
	switch {
	case s.sent != "":
		return desk.Redirect(w, r, s.sent)
	case s.whyNot != "":
		s.status = http.StatusForbidden
		securitylog.Record(r.Context(), securitylog.RoleRefused)
		return a.showRefund(w, r, v, s)
	case s.form.Step == stepForm || s.preview == nil:
		return a.showRefund(w, r, v, s)
	}
	if s.form.Step == stepCheck {
		return a.toCheck(w, r, v, s)
	}
	s.check = true
	return a.order(w, r, v, s)
}

// order orders the refund, or asks a second person, after a fresh factor.
func (a *Area) order(w http.ResponseWriter, r *http.Request, v web.StaffVisit, s state) (err error) {
	ask := refund.ApprovalOf(*s.preview, s.gift.OrganisationID)
	act := s.preview.Body
	if s.needsSecond() {
		act = ask.Text()
	}
	if s.asked, err = a.ProveMoney(r, &v, act); err != nil {
		return err
	}
	if !s.asked.OK {
		return a.showRefund(w, r, v, s)
	}
	v.FactorIsFresh = true
	to := ""
	err = a.write(r, v, func(ctx context.Context, tx *sqlx.Tx) error {
		if s.needsSecond() {
			ask, err := refund.AskTx(ctx, tx, *s.preview, s.gift.OrganisationID)
			to = approvalURL(v, ask.ID) + "said=asked"
			return err
		}
		o, err := a.Refunds.OrderTx(ctx, tx, s.preview.Request)
		to = refundURL(v, s.gift.PublicRef) + "order=" + o.ID.String()
		return err
	})
	var known *fault.Error
	switch {
	case err == nil:
		return desk.Redirect(w, r, to)
	case errors.Is(err, refund.ErrSecondPerson): // other refunds were ordered in between
		s.second = true
		return a.showRefund(w, r, v, s)
	case approval.Refused(err) != "":
		s.refused(&fault.Error{Kind: fault.Forbidden, Phrase: "office.rule." + approval.Refused(err)})
		return a.showRefund(w, r, v, s)
	case errors.As(err, &known) && (known.Kind == fault.Invalid || known.Kind == fault.Conflict || known.Kind == fault.Forbidden):
		s.refused(known)
		return a.showRefund(w, r, v, s)
	}
	return err
}

// refused says at the button why the database refuses an act.
func (s *state) refused(why *fault.Error) {
	s.problems = append(s.problems, fault.Field{Name: "submit", Phrase: why.Phrase, Args: why.Args})
	s.status = http.StatusUnprocessableEntity
	if why.Kind == fault.Conflict {
		s.status = http.StatusConflict
	}
}

// state is what a request about a gift's refund is about.
type state struct {
	gift      donation.Donation
	name      string // of the donor
	left      []refund.PartEffect
	byBank    bool          // the money goes back by check or transfer
	whyNot    string        // why this person orders nothing, or nothing can be refunded; a phrase
	approvers []staff.Named // who may be the second person
	orders    []refund.Listed
	parts     map[uuid.UUID][]refund.Part // by order
	names     map[uuid.UUID]string        // of staff

	approvedBy map[uuid.UUID]uuid.UUID // who approved, by order
	waiting    []approval.Stored

	form    Form
	preview *refund.Preview // what the form asks for; nil: nothing yet, or something is wrong
	sent    string          // the form was sent before: the address of what came of it
	second  bool            // the database asks for a second person
	check   bool            // the page shows what the refund does
	old     bool            // the address of such a page does not work any more

	asked    desk.Proof
	problems []fault.Field
	status   int // 0: as the problems say
}

func (s state) needsSecond() bool { return s.second || s.preview.NeedsSecondPerson() }

// load reads the gift, its refunds, and, if there is a form, what it asks for.
func (a *Area) load(r *http.Request, v web.StaffVisit, form Form, hasForm bool) (s state, err error) {
	s.form = form
	err = a.read(r, v, func(ctx context.Context, tx *sqlx.Tx) error {
		if s.gift, err = giftOf(ctx, tx, v, chi.URLParam(r, "ref")); err != nil {
			return err
		}
		if err := a.loadRefunds(ctx, tx, v, &s); err != nil {
			return err
		}
		var paid payment.Payment
		s.left, paid, err = a.Refunds.LeftOf(ctx, tx, s.gift.EntityID, s.gift.ID)
		s.byBank = paid.ID != uuid.Nil && !paid.Method.HasProcessor()
		waits := s.leaveOutWaiting()
		if err := s.impossible(err); err != nil {
			return err
		}
		if s.whyNot == "office.refund.why.nothing" && waits {
			s.whyNot = "office.refund.why.waiting"
		}
		if !mayOrder(v) {
			s.whyNot = "office.refund.why.role"
			if v.Has(v.Scope, staff.Finance) {
				s.whyNot = "office.refund.why.project"
			}
		}
		if !hasForm || s.whyNot == "office.refund.why.role" || s.whyNot == "office.refund.why.project" {
			return nil
		}
		return a.loadForm(ctx, tx, v, &s)
	})
	return s, err
}

// leaveOutWaiting takes what open requests ask for from what is left of each fund, so that nobody refunds it beside a request. It
// reports whether there is such a request.
func (s *state) leaveOutWaiting() (waits bool) {
	for _, asked := range s.waiting {
		q, _, _, err := refund.ReadBody(asked.Body)
		if err != nil {
			continue
		}
		for _, part := range q.Parts {
			for i := range s.left {
				if s.left[i].Fund.ID == part.FundID {
					s.left[i].Left = max(s.left[i].Left-part.Amount, 0)
					waits = true
				}
			}
		}
	}
	return waits
}

// impossible keeps why nothing of the gift can be refunded. It returns any other error.
func (s *state) impossible(err error) error {
	var known *fault.Error
	switch {
	case err == nil:
		for _, fund := range s.left {
			if fund.Left > 0 {
				return nil
			}
		}
		s.whyNot = "office.refund.why.nothing"
	case !errors.As(err, &known):
		return err
	case known.Kind == fault.NotFound: // the gift was not paid
		s.whyNot = "office.refund.why.unpaid"
	default:
		s.whyNot = known.Phrase
	}
	return nil
}

// loadRefunds reads the refunds of the gift, the requests that wait, and who may approve.
func (a *Area) loadRefunds(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, s *state) (err error) {
	contact, err := donation.ContactOf(ctx, tx, s.gift.ID)
	if err != nil {
		return err
	}
	if contact != nil {
		s.name = nameOf(contact.Contact)
	}
	if s.orders, err = refund.List(ctx, tx, refund.Filter{EntityID: s.gift.EntityID, DonationID: s.gift.ID}); err != nil {
		return err
	}
	if s.waiting, err = refund.AskedOf(ctx, tx, s.gift.ID); err != nil {
		return err
	}
	people, orders := []uuid.UUID{}, []uuid.UUID{}
	s.parts = map[uuid.UUID][]refund.Part{}
	for _, o := range s.orders {
		if o.OrderID == nil {
			continue
		}
		people, orders = append(people, *o.RequestedBy), append(orders, *o.OrderID)
		order, err := refund.ByID(ctx, tx, *o.OrderID)
		if err != nil {
			return err
		}
		s.parts[order.ID] = order.Parts
	}
	for _, asked := range s.waiting {
		people = append(people, asked.RequestedBy)
	}
	if s.approvedBy, err = refund.ApproversOf(ctx, tx, orders); err != nil {
		return err
	}
	people = slices.AppendSeq(people, maps.Values(s.approvedBy))
	if s.names, err = staff.NamesOf(ctx, tx, people...); err != nil {
		return err
	}
	s.approvers, err = staff.OthersWith(ctx, tx, staff.Finance, staff.Scope{EntityID: v.Entity.ID}, v.StaffID)
	return err
}

// loadForm reads what the form asks for. A form that was sent before leads to what came of it.
func (a *Area) loadForm(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, s *state) error {
	request, bad := s.form.request(v, s.gift, s.left)
	if request.Submission == uuid.Nil {
		s.form.Submission = a.NewID().String() // it shows the page again
		request.Submission = uuid.MustParse(s.form.Submission)
		if s.form.Step != stepForm {
			s.form.Step = stepCheck
		}
	} else if sent, err := a.sentBefore(ctx, tx, v, *s); err != nil || sent != "" {
		s.sent = sent
		return err
	}
	if s.whyNot != "" || s.form.Step == stepForm {
		return nil
	}
	if s.problems = bad; len(bad) > 0 {
		return nil
	}
	if request.All && len(s.waiting) > 0 { // all that is left beside the requests that wait
		request.All = false
		for _, fund := range s.left {
			if fund.Left > 0 {
				request.Parts = append(request.Parts, refund.Part{FundID: fund.Fund.ID, Amount: fund.Left})
			}
		}
	}
	preview, err := a.Refunds.PreviewTx(ctx, tx, request)
	var known *fault.Error
	if errors.As(err, &known) && known.Kind != fault.NotFound {
		s.problems = []fault.Field{{Name: "all", Phrase: known.Phrase, Args: known.Args}}
		return nil
	}
	if err != nil {
		return err
	}
	s.preview = &preview
	s.form = typed(s.form, preview, s.left) // exactly what is shown
	return nil
}

// sentBefore returns the address of the order or the request that a form made before; empty if it made none. It reports a
// Conflict if the form says something else now.
func (a *Area) sentBefore(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, s state) (to string, err error) {
	id, _ := uuid.Parse(s.form.Submission)
	var was refund.Request
	order, err := refund.OfForm(ctx, tx, id)
	switch {
	case err != nil:
		return "", err
	case order != nil:
		to = refundURL(v, s.gift.PublicRef) + "order=" + order.ID.String()
		was = refund.Request{DonationID: order.DonationID, RequestedBy: order.RequestedBy, Reason: order.Reason, Parts: order.Parts, Submission: id}
		if order.RequestID != nil {
			to = closed(approvalURL(v, *order.RequestID))
		}
	default:
		asked, err := approval.ByID(ctx, tx, refund.RequestOf(id))
		if errors.Is(err, sql.ErrNoRows) {
			return "", nil
		}
		if err == nil {
			was, err = refund.AskedTx(ctx, tx, asked)
		}
		if err != nil {
			return "", err
		}
		if to = closed(approvalURL(v, asked.ID)); asked.State == approval.Open {
			to = approvalURL(v, asked.ID) + "said=asked"
		}
	}
	if was.DonationID != s.gift.ID || was.RequestedBy != v.StaffID || !s.form.says(was, s.gift, s.left, string(v.Language)) {
		return "", refund.ErrOtherForm
	}
	return to, nil
}
