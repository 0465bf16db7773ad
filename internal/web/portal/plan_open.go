package portal

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"konbit/internal/giving/owner"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/accesspage"
	"konbit/internal/web/portal/signedlink"
)

// openedLife is how long a browser that opened a link to a plan may use it.
const openedLife = time.Hour

// openedCookie returns the name of the cookie that marks a browser in which a link to a plan was opened. It opens this plan
// and nothing else. Each plan has its own, so that pages of several plans stay usable.
func openedCookie(ref string) string { return "plan-" + ref }

// openedLink returns the permission of a browser that opened the link of an email to the plan that the path names. Each
// request looks whether the link is still valid. A request that may change something must carry the token of a form
// that was shown after the same link was opened; if not, the plan is shown again.
func (a *Area) openedLink() web.Permission[planView] {
	return web.Permission[planView]{
		Name:    "opened link: plan",
		Refusal: securitylog.LinkRefused,
		Check: func(_ http.ResponseWriter, r *http.Request) (planView, error) {
			p, err := a.planOfOpenedLink(r)
			if err == nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
				err = a.checkOpenedForm(r, p)
			}
			return p, err
		},
		Refuse: func(w http.ResponseWriter, r *http.Request, err error) error {
			switch {
			case errors.Is(err, errEarlierForm):
				return a.showPlanAgain(w, r)
			case fault.Is(err, fault.NotFound):
				return a.showPlanLink(w, r, http.StatusUnauthorized, accesspage.PlanLink{State: accesspage.LinkClosed})
			}
			return err
		},
	}
}

func (a *Area) planOfOpenedLink(r *http.Request) (planView, error) {
	cookie := a.Cookie(r, openedCookie(chi.URLParam(r, "ref")))
	id, valid := signedlink.ReadOpenedToken(a.Keys, cookie, a.Wall())
	if !valid {
		return planView{}, web.NotFound()
	}
	link, err := a.Links.ByID(r.Context(), id)
	if err == nil && !link.Valid {
		err = web.NotFound()
	}
	if err != nil {
		return planView{}, err
	}
	p, err := a.openPlan(r, chi.URLParam(r, "ref"), "")
	if err == nil && (p.plan.ID != link.PlanID || p.plan.DonorID != link.DonorID) {
		err = web.NotFound()
	}
	p.path, p.via, p.link = linkedPlanPath(p.plan.PublicRef, p.lang), planlink.ByLink, id
	p.token = signedlink.OpenedFormToken(a.Keys, id)
	return p, err
}

// errEarlierForm: the form was shown after another link was opened, such as that of last month's email.
var errEarlierForm error = fault.New(fault.Conflict, "plan.error.again", nil)

// checkOpenedForm checks the token of a form on a page that a link opened.
func (a *Area) checkOpenedForm(r *http.Request, p planView) error {
	if err := r.ParseForm(); err != nil {
		return web.Malformed(err)
	}
	if !signedlink.IsOpenedFormToken(a.Keys, p.link, r.PostForm.Get("session")) {
		securitylog.Record(r.Context(), securitylog.FormTokenWrong)
		return errEarlierForm
	}
	return nil
}

// showPlanAgain shows the plan instead of what was requested, and says that nothing was changed. A change that the donor
// confirmed is explained again with the values that were typed, and a button that makes it.
func (a *Area) showPlanAgain(w http.ResponseWriter, r *http.Request) error {
	p, err := a.planOfOpenedLink(r)
	if err != nil {
		return err
	}
	shown := r.Clone(r.Context())
	if shown.URL, err = shown.URL.Parse(p.path); err != nil {
		return err
	}
	page, err := a.planPage(shown, p)
	if err != nil {
		return err
	}
	typed := r.PostForm
	switch do := typed.Get("do"); do {
	case "cancel":
		page.Entry.Reason = typed.Get("reason")
	case "pause", "skip", "resume", "change":
		change, err := a.planChange(p, do, typed)
		var bad *fault.Error
		if errors.As(err, &bad) && isPlanProblem(bad) {
			return a.showPlanProblems(w, page, typed, bad)
		}
		if err != nil {
			return err
		}
		page.Confirm = change.confirm(a.NewID().String())
	}
	page.Again = true
	return a.writePlan(w, http.StatusConflict, page)
}

// openGet shows the page that the links of emails lead to. A script posts the secret, which is the address's fragment;
// without a script the donor types the code of the email. It changes nothing.
func (a *Area) openGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	return a.showPlanLink(w, r, http.StatusOK, accesspage.PlanLink{})
}

// openPost opens a link by its token or its code.
func (a *Area) openPost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	token, code := r.PostForm.Get("link"), strings.TrimSpace(r.PostForm.Get("code"))
	if token == "" && code == "" {
		return a.showPlanLink(w, r, http.StatusUnprocessableEntity, accesspage.PlanLink{
			Problems: []fault.Field{{Name: "code", Phrase: "plan_link.error.code"}},
		})
	}
	link, challenge, wait, err := a.linkOf(r, token, code)
	if challenge != nil {
		to := ""
		if r.URL.Query().Get("to") == "card" {
			to = "&to=card"
		}
		lang := a.VisitorLanguage(w, r, "")
		return a.writeStep(w, accesspage.StepPage{
			Frame: view.Frame{Language: lang}, Step: web.NewStep(*challenge, openPath+"?lang="+string(lang)+to, r.PostForm),
			Lead: "plan_link.step.lead", Button: "plan_link.open",
		})
	}
	if fault.Is(err, fault.NotFound) || err == nil && !link.Valid {
		securitylog.Record(r.Context(), securitylog.LinkRefused)
	}
	switch {
	case wait > 0:
		securitylog.Limit(r.Context(), "codes of links to plans")
		return a.showPlanLink(w, r, http.StatusTooManyRequests, accesspage.PlanLink{State: accesspage.LinkHeld, Wait: wait})
	case fault.Is(err, fault.NotFound) && token == "":
		return a.showPlanLink(w, r, http.StatusUnprocessableEntity, accesspage.PlanLink{
			Problems: []fault.Field{{Name: "code", Phrase: "plan_link.error.wrong"}},
		})
	case fault.Is(err, fault.NotFound):
		return a.showPlanLink(w, r, http.StatusUnprocessableEntity, accesspage.PlanLink{State: accesspage.LinkFailed})
	case err != nil:
		return err
	case !link.Valid:
		page := accesspage.PlanLink{State: accesspage.LinkEnded, Action: "/plans/fresh", Ended: signedlink.EndedToken(a.Keys, link.ID)}
		return a.showPlanLink(w, r, http.StatusUnprocessableEntity, page)
	}
	plan, err := recurring.ByID(r.Context(), a.DB, link.PlanID)
	if err != nil {
		return err
	}
	securitylog.Record(r.Context(), securitylog.LinkOpened)
	a.SetCookie(w, openedCookie(plan.PublicRef), signedlink.OpenedToken(a.Keys, link.ID, a.Wall().Add(openedLife)), openedLife)
	path := linkedPlanPath(plan.PublicRef, a.VisitorLanguage(w, r, plan.Language))
	if r.URL.Query().Get("to") == "card" {
		path = subPath(path, "/card")
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// linkOf returns the link of a token or, if there is none, of a code. Beyond the limits of guesses it returns a challenge,
// and beyond those of answered challenges after which time a code may be typed again.
func (a *Area) linkOf(r *http.Request, token, code string) (link planlink.Link, challenge *guard.Challenge, wait time.Duration, err error) {
	if token != "" {
		link, err = a.Links.ByToken(r.Context(), token)
		return link, nil, 0, err
	}
	guess := planlink.Guess(web.ClientAddress(r), code)
	guess.Challenge, guess.Proof = r.PostForm.Get(web.StepField), r.PostForm.Get(web.ProofField)
	verdict, shown, wait, err := a.Guard.JudgeAct(r.Context(), guess)
	switch {
	case err != nil || verdict == guard.Refused:
		return link, nil, wait, err
	case verdict == guard.Challenged:
		return link, &shown, 0, nil
	}
	link, err = a.Links.ByCode(r.Context(), code)
	return link, nil, 0, err
}

// freshPost sends a valid link to the donor of a link that has ended.
func (a *Area) freshPost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	id, valid := signedlink.ReadEndedToken(a.Keys, r.PostForm.Get("ended"))
	if !valid {
		securitylog.Record(r.Context(), securitylog.LinkRefused)
		return a.showPlanLink(w, r, http.StatusUnprocessableEntity, accesspage.PlanLink{State: accesspage.LinkFailed})
	}
	link, err := a.Links.ByID(r.Context(), id)
	if fault.Is(err, fault.NotFound) { // its row was deleted
		securitylog.Record(r.Context(), securitylog.LinkRefused)
		return a.showPlanLink(w, r, http.StatusUnprocessableEntity, accesspage.PlanLink{State: accesspage.LinkFailed})
	}
	if err != nil {
		return err
	}
	return a.sendFresh(w, r, link)
}

// sendFresh sends a valid link to the plan's donor, within limits: of the donor's known browsers, or those of all.
func (a *Area) sendFresh(w http.ResponseWriter, r *http.Request, of planlink.Link) error {
	known := false
	if cookie := a.Cookie(r, knownCookie); cookie != "" {
		to, err := owner.Addressee(r.Context(), a.DB, of.PlanID)
		if err != nil {
			return err
		}
		known = to != nil && a.Access.KnownFor(cookie, to.Email)
	}
	allowed, wait, err := a.Guard.AllowFirst(r.Context(), of.FreshLimits(web.ClientAddress(r), known)...)
	if err != nil {
		return err
	}
	if !allowed {
		securitylog.Limit(r.Context(), "new links to plans")
		return a.showPlanLink(w, r, http.StatusTooManyRequests, accesspage.PlanLink{State: accesspage.LinkHeld, Wait: wait})
	}
	if err := a.Links.RequestFresh(r.Context(), of.PlanID); err != nil {
		return err
	}
	securitylog.Record(r.Context(), securitylog.LinkRequested)
	return a.showPlanLink(w, r, http.StatusOK, accesspage.PlanLink{State: accesspage.LinkSent})
}

// showPlanLink shows the page of links to plans. With status 429 it says when to come back.
func (a *Area) showPlanLink(w http.ResponseWriter, r *http.Request, status int, page accesspage.PlanLink) error {
	page.Frame = a.signInFrame(w, r)
	if r.URL.Query().Get("to") == "card" {
		page.To = "card"
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int(page.Wait/time.Second)))
	}
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}

// subPath returns an address below a page's address, with the same query.
func subPath(path, below string) string {
	before, query, _ := strings.Cut(path, "?")
	return before + below + "?" + query
}
