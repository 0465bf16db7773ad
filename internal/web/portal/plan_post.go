package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/web"
)

// planPost makes a change to the plan of an email's link.
func (a *Area) planPost(w http.ResponseWriter, r *http.Request, p planView) error {
	return a.changePlan(w, r, p)
}

// ownPlanPost makes a change to the visitor's plan.
func (a *Area) ownPlanPost(w http.ResponseWriter, r *http.Request, p web.Owned[planView]) error {
	return a.changePlan(w, r, p.Object)
}

// changePlan makes a change that the donor confirmed, once for each submission, and confirms it on the plan's page. If
// Stripe cannot be reached at once, the change is made later and an email confirms it.
func (a *Area) changePlan(w http.ResponseWriter, r *http.Request, p planView) error {
	if err := r.ParseForm(); err != nil {
		return web.Malformed(err)
	}
	typed := r.PostForm
	confirmation, err := a.submitPlanChange(r.Context(), p, typed)
	var bad *fault.Error
	if errors.As(err, &bad) && isPlanProblem(bad) {
		page, pageErr := a.planPage(r, p)
		if pageErr != nil {
			return pageErr
		}
		return a.showPlanProblems(w, page, typed, bad)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, p.path+"&said="+confirmation, http.StatusSeeOther)
	return nil
}

// submitPlanChange requests a change and returns what the page confirms.
func (a *Area) submitPlanChange(ctx context.Context, p planView, typed url.Values) (confirmation string, err error) {
	do := typed.Get("do")
	submission, err := uuid.Parse(typed.Get("press"))
	if err != nil {
		return "", fault.Wrap(fault.Invalid, "problem.400.text", err)
	}
	id, repeated, err := a.Plans.FindRequest(ctx, p.plan.ID, submission.String())
	if err != nil {
		return "", err
	}
	if repeated { // not checked again: the first submission may have changed the plan already
		return a.awaitPlanChange(ctx, do, id)
	}
	change, err := a.planChange(p, do, typed)
	if err != nil {
		return "", err
	}
	id, err = change.request(ctx, recurring.DonorRequest{PlanID: p.plan.ID, SubmissionID: submission.String(), Channel: p.via})
	if err != nil {
		return "", err
	}
	return a.awaitPlanChange(ctx, do, id)
}

// awaitPlanChange waits up to four seconds for a request to be executed, and returns what the page confirms: do, or
// "soon" if it is not executed yet. The request is stored: unless it is refused (fault.Conflict), it will be executed
// even if awaitPlanChange fails.
func (a *Area) awaitPlanChange(ctx context.Context, do string, id uuid.UUID) (confirmation string, err error) {
	bounded, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	done, err := a.Plans.WaitForRequest(bounded, id)
	if fault.Is(err, fault.Conflict) {
		return "", err
	}
	if err != nil {
		a.Log.WarnContext(ctx, "cannot wait for a plan's request", "request", id, "error", err)
	}
	if !done {
		do = "soon"
	}
	return do, nil
}
