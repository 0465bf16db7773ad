package refunds

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ApprovalPage is a request: what it would do, who decided, and what this person may do.
type ApprovalPage struct {
	desk.Page
	Title, Action, Hash string
	State, Mark         string // of the request
	By                  string
	At, ExpiresAt       time.Time
	Decisions           []DecisionLine
	Shown               desk.Shown
	NotNow              string // why it cannot be executed now; may be empty
	Mine                bool   // this person requested it, and may withdraw it
	MayDecide           bool
	WhyNot              string // why this person does not decide; may be empty
	Factor              desk.Factor
	Why                 view.Field // of declining
}

// DecisionLine is what somebody decided.
type DecisionLine struct {
	By, What, Reason string
	At               time.Time
}

// decisionMarks are the shapes of the states of requests.
var decisionMarks = map[approval.State]string{
	approval.Open: "hold", approval.Executed: "good", approval.Declined: "bad", approval.Withdrawn: "plain", approval.Expired: "plain",
}

// acts returns every kind of act that needs a second person.
func (a *Area) acts() []desk.Act { return append([]desk.Act{a.refundAct(), a.rolesAct()}, a.Acts...) }

// actOf returns the act of a request. One that this program does not know is shown and not executed.
func (a *Area) actOf(r approval.Stored) desk.Act {
	for _, act := range a.acts() {
		if act.Kind == r.Kind {
			return act
		}
	}
	unknown := fault.New(fault.Conflict, "office.approval.unknown", nil)
	return desk.Act{
		Kind:  r.Kind,
		Title: func(v web.StaffVisit, _ approval.Stored) string { return a.phrase(v, "office.approval.unknown") },
		Show: func(context.Context, *sqlx.Tx, web.StaffVisit, approval.Stored) (desk.Shown, error) {
			return desk.Shown{Now: unknown}, nil
		},
		ExecuteTx: func(context.Context, *sqlx.Tx, web.StaffVisit, approval.Stored) error { return unknown },
	}
}

// TitleTx says in one line what a request would do, and of a role whose it is. tx is a transaction of Desk.Read.
func (a *Area) TitleTx(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, q approval.Stored) (string, error) {
	title := a.actOf(q).Title(v, q)
	if q.Kind != approval.Roles {
		return title, nil
	}
	person, err := staff.PersonOfRequest(ctx, tx, q.ID)
	if err != nil || person == nil {
		return title, err
	}
	return a.phrase(v, "office.approval.of_person", "title", title, "name", person.Name), nil
}

// mayDecide reports whether the visit's person has the role that decides about a request.
func mayDecide(v web.StaffVisit, r approval.Stored) bool {
	if r.Kind == approval.Roles {
		return v.Has(staff.Scope{EntityID: r.EntityID, OrganisationID: r.OrganisationID}, staff.Admin)
	}
	return mayOrder(v)
}

// asked is a request with what its page says about it.
type asked struct {
	approval.Stored
	shown     desk.Shown
	title     string
	decisions []approval.Decision
	names     map[uuid.UUID]string
	mine      bool // of the visit's person, under whichever account
}

// find returns the request that the address names; fault.NotFound if there is none in the visit's scope.
func (a *Area) find(r *http.Request, v web.StaffVisit) (q asked, err error) {
	id, bad := uuid.Parse(chi.URLParam(r, "request"))
	if bad != nil {
		return q, web.NotFound()
	}
	err = a.read(r, v, func(ctx context.Context, tx *sqlx.Tx) error {
		q.Stored, err = approval.ByID(ctx, tx, id)
		if errors.Is(err, sql.ErrNoRows) || err == nil && (q.EntityID != v.Entity.ID || v.Organisation != nil && q.OrganisationID.UUID != v.Organisation.ID) {
			return web.NotFound()
		}
		if err != nil {
			return err
		}
		if q.title, err = a.TitleTx(ctx, tx, v, q.Stored); err != nil {
			return err
		}
		if q.shown, err = a.actOf(q.Stored).Show(ctx, tx, v, q.Stored); err != nil {
			return err
		}
		if q.decisions, err = approval.Decisions(ctx, tx, id); err != nil {
			return err
		}
		people := []uuid.UUID{q.RequestedBy}
		for _, d := range q.decisions {
			people = append(people, d.StaffID.UUID)
		}
		if q.names, err = staff.NamesOf(ctx, tx, people...); err != nil {
			return err
		}
		q.mine, err = staff.AreOne(ctx, tx, q.RequestedBy, v.StaffID)
		return err
	})
	return q, err
}

func (a *Area) approvalGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	q, err := a.find(r, v)
	if err != nil {
		return err
	}
	return a.showApproval(w, r, v, q, desk.Proof{}, 0)
}

func (a *Area) showApproval(w http.ResponseWriter, r *http.Request, v web.StaffVisit, q asked, proof desk.Proof, status int) (err error) {
	zone := desk.ZoneOf(v)
	hash := q.Hash()
	p := ApprovalPage{
		Page: a.PageOf(r, v, "approvals"), Title: q.title, Action: closed(approvalURL(v, q.ID)), Hash: hex.EncodeToString(hash[:]),
		State: string(q.State), Mark: decisionMarks[q.State], By: a.nameIn(v, q.names, q.RequestedBy), At: a.Moment(q.RequestedAt, zone),
		ExpiresAt: a.Moment(q.ExpiresAt, zone), Shown: q.shown,
	}
	p.Problems = proof.Problems
	for _, said := range []string{"asked", "approved", "declined", "withdrawn"} {
		if r.URL.Query().Get("said") == said {
			p.Done = said
		}
	}
	if p.Shown.Later != nil {
		p.Shown.Later(r.Context(), &p.Shown)
	}
	if why := (*fault.Error)(nil); q.State == approval.Open && errors.As(faultOf(q.shown.Now), &why) {
		p.NotNow = a.View.ErrorText(v.Language, fault.Field{Phrase: why.Phrase, Args: why.Args})
	}
	for _, d := range q.decisions {
		line := DecisionLine{By: a.phrase(v, "office.approval.operator"), What: d.Decision, Reason: d.Reason, At: a.Moment(d.At, zone)}
		if d.StaffID.Valid {
			line.By = a.nameIn(v, q.names, d.StaffID.UUID)
		}
		p.Decisions = append(p.Decisions, line)
	}
	if q.State == approval.Open {
		p.Mine = q.RequestedBy == v.StaffID
		p.MayDecide = mayDecide(v, q.Stored) && !q.mine
		switch {
		case q.mine:
			p.WhyNot = a.phrase(v, "office.approval.why.mine")
		case !p.MayDecide:
			p.WhyNot = a.phrase(v, "office.approval.why.role")
		}
	}
	if p.MayDecide {
		if q.Kind == approval.Roles {
			v.FactorIsFresh = false
			p.Factor, err = a.FactorOf(r, v, proof)
		} else {
			p.Factor, err = a.MoneyFactorOf(r, v, proof, true)
		}
		if err != nil {
			return err
		}
	}
	f := p.Page.Form(a.View)
	p.Why = desk.Field(f, a.View, "why", r.PostForm.Get("why"), view.Field{Area: true})
	if status == 0 {
		status = desk.StatusOf(p.Problems)
	}
	return a.Write(w, status, "approval", v.Language, struct {
		ApprovalPage
		Errors []view.FormError
	}{p, desk.ErrorsOf(f, v.Language, a.View, view.Field{
		FieldText: view.FieldText{Name: "submit", Label: a.phrase(v, "office.today.approval."+string(q.Kind))},
	})})
}

func (a *Area) nameIn(v web.StaffVisit, names map[uuid.UUID]string, id uuid.UUID) string {
	if name := names[id]; name != "" {
		return name
	}
	return a.Somebody(v, "office.approval.somebody")
}

// approvalPost does what the field do says: approve, decline or withdraw.
func (a *Area) approvalPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	q, err := a.find(r, v)
	if err != nil {
		return err
	}
	var hash [32]byte
	do := r.PostForm.Get("do")
	if n, bad := hex.Decode(hash[:], []byte(sized(r.PostForm.Get("hash")))); do != "withdraw" && (bad != nil || n != len(hash) || hash != q.Hash()) {
		return a.showApproval(w, r, v, q, refusedBy("office.rule.approval_has_hash"), http.StatusConflict)
	}
	done := ""
	var proof desk.Proof
	switch do {
	case "approve":
		done = "approved"
		proof, err = a.approve(r, v, q, hash)
	case "decline":
		done, proof.OK = "declined", true
		why := strings.TrimSpace(r.PostForm.Get("why"))
		if len([]rune(why)) > maxNote || strings.ContainsRune(why, 0) {
			return a.showApproval(w, r, v, q, desk.Proof{Problems: []fault.Field{{Name: "why", Phrase: "office.refund.error.note"}}}, 0)
		}
		err = a.write(r, v, func(ctx context.Context, tx *sqlx.Tx) error { return approval.DeclineTx(ctx, tx, q.ID, hash, why) })
	case "withdraw":
		done, proof.OK = "withdrawn", true
		err = a.write(r, v, func(ctx context.Context, tx *sqlx.Tx) error { return approval.WithdrawTx(ctx, tx, q.ID) })
	default:
		return web.NotFound()
	}
	var known *fault.Error
	switch rule := approval.Refused(err); {
	case err == nil && proof.OK:
		return desk.Redirect(w, r, approvalURL(v, q.ID)+"said="+done)
	case err == nil:
		return a.showApproval(w, r, v, q, proof, 0)
	case rule == "approval_is_open" && endedAs(q.State, do):
		return desk.Redirect(w, r, approvalURL(v, q.ID)+"said="+done) // the same form again
	case rule == "approval_has_role" || rule == "approval_by_another" || rule == "approval_is_valid":
		securitylog.Record(r.Context(), securitylog.RoleRefused)
		return a.showApproval(w, r, v, q, refusedBy("office.rule."+rule), http.StatusForbidden)
	case rule == "approval_has_factor" || rule == "approval_is_open" || rule == "approval_has_hash":
		return a.showApproval(w, r, v, q, refusedBy("office.rule."+rule), http.StatusConflict)
	case errors.As(err, &known) && known.Kind != fault.Unavailable && known.Kind != fault.Unexpected && known.Kind != fault.NotFound:
		return a.showApproval(w, r, v, q, refusedBy(known.Phrase), http.StatusConflict)
	}
	return err
}

// refusedBy returns a proof whose problem stands at the button.
func refusedBy(phrase string) desk.Proof {
	return desk.Proof{Problems: []fault.Field{{Name: "submit", Phrase: phrase}}}
}

// endedAs reports whether a request has the end that a form asks for.
func endedAs(s approval.State, do string) bool {
	return map[string]approval.State{"approve": approval.Executed, "decline": approval.Declined, "withdraw": approval.Withdrawn}[do] == s
}

// approve approves a request and, if it then has all approvals, executes it in the same transaction: after an error neither
// happened. A code is checked by the database; without one a passkey signs the request.
func (a *Area) approve(r *http.Request, v web.StaffVisit, q asked, hash [32]byte) (proof desk.Proof, err error) {
	code := r.PostForm.Get("code")
	if code == "" {
		if proof, err = a.ProvePasskey(r, &v, q.Text()); err != nil || !proof.OK {
			if proof.Problems != nil && a.takesCodes(v, q.Stored) {
				proof.Problems = []fault.Field{{Name: "code", Phrase: "office.code.needed"}}
			}
			return proof, err
		}
	}
	wrong := false
	err = a.write(r, v, func(ctx context.Context, tx *sqlx.Tx) error {
		err := approval.ApproveTx(ctx, tx, q.ID, hash, code, "")
		if wrong = errors.Is(err, approval.ErrCode); wrong {
			return nil // the try is counted
		}
		if err != nil {
			return err
		}
		approved, err := approval.IsApprovedTx(ctx, tx, q.ID)
		if err != nil || !approved {
			return err
		}
		return a.actOf(q.Stored).ExecuteTx(ctx, tx, v, q.Stored)
	})
	proof.OK = err == nil && !wrong
	if wrong {
		securitylog.Record(r.Context(), securitylog.FactorWrong)
		proof.Problems = []fault.Field{{Name: "code", Phrase: "office.code.wrong"}}
	}
	return proof, err
}

// sized returns the text of a hash, or a text that is none, so that it fits.
func sized(text string) string {
	if len(text) != 64 {
		return ""
	}
	return text
}

// faultOf returns an error that its reader can understand; nil if err is another, or none.
func faultOf(err error) error {
	var known *fault.Error
	if errors.As(err, &known) && known.Kind != fault.Unexpected && known.Kind != fault.NotFound {
		return known
	}
	return nil
}
