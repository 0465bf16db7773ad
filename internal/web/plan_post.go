package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
)

// wish is a change that a donor asked about: what it comes to, and how it is asked for.
type planChange struct {
	do      string
	typed   url.Values
	words   view.PlanChange
	request func(ctx context.Context, w recurring.DonorRequest) (uuid.UUID, error)
}

// confirm is the wish as a page shows it before it is done.
func (w planChange) confirm(press string) *view.PlanConfirm {
	c := &view.PlanConfirm{PlanChange: w.words, Do: w.do, SubmissionID: press}
	for _, name := range []string{"months", "amount", "frequency", "fund", "date", "cover_fees"} {
		if value := w.typed.Get(name); value != "" {
			c.Values = append(c.Values, view.FormValue{Name: name, Value: value})
		}
	}
	return c
}

// wished reads what is asked for. Nothing is done yet.
func (s *Server) planChange(p planView, do string, typed url.Values) (planChange, error) {
	k, loc := s.Plans, p.offer.Entity.Location()
	w := planChange{do: do, typed: typed, words: view.PlanChange{Kind: do, Amount: p.plan.Amount(), Every: string(p.plan.Frequency)}}
	switch do {
	case "pause":
		_, next, err := p.plan.PauseFor(months(typed), s.Now())
		w.words.Next, w.words.Months = next.In(loc), months(typed)
		w.request = func(ctx context.Context, by recurring.DonorRequest) (uuid.UUID, error) {
			return k.Pause(ctx, by, months(typed))
		}
		return w, err
	case "skip":
		_, next, err := p.plan.SkipNext()
		w.words.Next, w.request = next.In(loc), k.Skip
		return w, err
	case "resume":
		w.request = k.Resume
		return w, nil
	case "cancel":
		w.request = func(ctx context.Context, by recurring.DonorRequest) (uuid.UUID, error) {
			return k.Cancel(ctx, by, typed.Get("reason"))
		}
		return w, nil
	case "change":
		return s.termsChange(p, w, typed)
	}
	return w, fault.New(fault.Invalid, "problem.400.text", nil)
}

func (s *Server) termsChange(p planView, w planChange, typed url.Values) (planChange, error) {
	to, next, err := p.terms(typed)
	if err != nil {
		return w, err
	}
	d, err := p.plan.ChangeDetail(to, next, s.Now())
	if err != nil {
		return w, err
	}
	w.words.Amount, w.words.Every = money.New(d.Amount, p.offer.Entity.Currency), d.Frequency
	w.words.Next = p.plan.NextAt.In(p.offer.Entity.Location())
	if next != nil {
		w.words.Next = next.In(p.offer.Entity.Location())
	}
	w.words.Funds = p.names(to.Designations)
	w.request = func(ctx context.Context, by recurring.DonorRequest) (uuid.UUID, error) {
		return s.Plans.Change(ctx, by, to, next)
	}
	return w, nil
}

// names are those of the funds of parts.
func (p planView) names(parts []donation.Designation) (names []string) {
	for _, part := range parts {
		if f, err := p.catalog.Fund(part.FundID); err == nil {
			names = append(names, f.Name.In(p.lang))
		}
	}
	return names
}

// planPost does what a donor confirmed by the link of a letter.
func (s *Server) planPost(w http.ResponseWriter, r *http.Request) error {
	p, err := s.planOf(r)
	if err != nil {
		return err
	}
	return s.changePlan(w, r, p)
}

// planAct does what a donor confirmed, once for each press, and says so on the plan's page. What Stripe cannot be told at once
// is told soon, and a letter says when it is done.
func (s *Server) changePlan(w http.ResponseWriter, r *http.Request, p planView) error {
	if err := r.ParseForm(); err != nil {
		return malformed(err)
	}
	typed := r.PostForm
	said, err := s.submitPlanChange(r.Context(), p, typed)
	var bad *fault.Error
	if errors.As(err, &bad) && (bad.Kind == fault.Invalid || bad.Kind == fault.Conflict) {
		page, pageErr := s.planPage(r, p)
		if pageErr != nil {
			return pageErr
		}
		return s.showPlanProblems(w, page, typed, bad)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, p.path+"&said="+said, http.StatusSeeOther)
	return nil
}

func (s *Server) submitPlanChange(ctx context.Context, p planView, typed url.Values) (said string, err error) {
	do := typed.Get("do")
	press, err := uuid.Parse(typed.Get("press"))
	if err != nil {
		return "", fault.Wrap(fault.Invalid, "problem.400.text", err)
	}
	id, pressed, err := s.Plans.FindRequest(ctx, p.plan.ID, press.String())
	if err != nil {
		return "", err
	}
	if pressed { // once more: what was asked for then may have changed the plan already
		return s.awaitPlanChange(ctx, do, id)
	}
	w, err := s.planChange(p, do, typed)
	if err != nil {
		return "", err
	}
	id, err = w.request(ctx, recurring.DonorRequest{PlanID: p.plan.ID, SubmissionID: press.String(), Channel: p.via})
	if err != nil {
		return "", err
	}
	return s.awaitPlanChange(ctx, do, id)
}

// awaited waits a moment for a request to be carried out, and answers what to say of it. The request is kept: unless it is refused,
// whatever goes wrong from here on, it is carried out, and the page says so.
func (s *Server) awaitPlanChange(ctx context.Context, do string, id uuid.UUID) (said string, err error) {
	bounded, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	done, err := s.Plans.WaitForRequest(bounded, id)
	if fault.Is(err, fault.Conflict) {
		return "", err
	}
	if err != nil {
		s.Log.WarnContext(ctx, "a plan's request is not seen to be carried out", "request", id, "error", err)
	}
	if !done {
		do = "soon"
	}
	return do, nil
}
