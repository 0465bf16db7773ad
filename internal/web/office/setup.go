package office

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"

	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// SetupPage is the way from an invitation to the first factor, and to another one. Step says which of its pages it is:
//
//	choose    a passkey, or a password and an app
//	app       the app's secret, once, and the field for its first code
//	code      only the field, after a wrong code
//	passkey   the prompt for a new passkey
//	new_codes asks whether the recovery codes are to be replaced
//	codes     the recovery codes, once
type SetupPage struct {
	desk.Page
	Step     string
	First    bool // nothing is set up yet
	Passkeys bool // passkeys work at this address
	TOTP     staff.TOTP
	QR       template.HTML
	Prompt   *staff.Prompt
	Codes    []string
}

func (a *Area) showSetup(w http.ResponseWriter, r *http.Request, v web.StaffVisit, p SetupPage) error {
	problems := p.Problems
	p.Page = a.PageOf(r, v, "account")
	p.Problems, p.First, p.Passkeys = problems, !v.IsFull(), a.Staff.PasskeysWork()
	f := p.Form(a.View)
	return a.Write(w, desk.StatusOf(problems), "setup", v.Language, struct {
		SetupPage
		Errors         []view.FormError
		Email          string
		Password, Code view.Field
		PasskeyName    view.Field
	}{
		p, desk.ErrorsOf(f, v.Language, a.View), v.Email,
		desk.Field(f, a.View, "new_password", "", view.Field{Type: "password", Autocomplete: "new-password", Required: true}),
		desk.Field(f, a.View, "code", "", view.Field{Autocomplete: "one-time-code", Mode: "numeric", Class: "digits", Required: true}),
		desk.Field(f, a.View, "passkey_name", "", view.Field{HideOptional: true, Autocomplete: "off"}),
	})
}

func (a *Area) setupGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	if r.URL.Query().Get("do") == "codes" && v.IsFull() {
		return a.showSetup(w, r, v, SetupPage{Step: "new_codes"})
	}
	return a.showSetup(w, r, v, SetupPage{Step: "choose"})
}

// hashingTimeout bounds a request that hashes a password slowly, which the time of a page is too short for on a busy machine.
const hashingTimeout = 10 * time.Second

// setupPost does one step: the field do names it. Each has hashingTimeout, the recovery codes staff.CodesTimeout.
func (a *Area) setupPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) (err error) {
	whole := r
	ctx, cancel := context.WithTimeout(r.Context(), hashingTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	p := SetupPage{Step: "choose"}
	switch form := r.PostForm; form.Get("do") {
	case "password":
		p, err = a.setPassword(r, v, form.Get("new_password"))
	case "app":
		p, err = a.newApp(r, v)
	case "code":
		var right bool
		if right, err = a.Staff.ConfirmTOTP(r.Context(), v.Session, form.Get("code")); err == nil && right {
			return a.added(w, whole, v, "app_set")
		}
		p.Step, p.Problems = "code", []fault.Field{{Name: "code", Phrase: "office.code.wrong"}}
	case "passkey":
		var prompt staff.Prompt
		prompt, err = a.Staff.PromptRegister(r.Context(), v.Session)
		p.Step, p.Prompt = "passkey", &prompt
	case "register":
		name := strings.TrimSpace(form.Get("passkey_name"))
		if name == "" || len([]rune(name)) > 100 {
			name = a.View.Phrase(v.Language, "office.passkey.name", "device", web.StaffClient(r).Device)
		}
		if err = a.Staff.Register(r.Context(), v.Session, form.Get("assertion"), name); err == nil {
			return a.added(w, whole, v, "passkey_added")
		}
		if fault.Is(err, fault.Invalid) {
			p.Problems, err = []fault.Field{{Name: "passkey", Phrase: "office.passkey.wrong"}}, nil
		}
	case "codes":
		return a.showNewCodes(w, whole, v)
	default:
		return web.NotFound()
	}
	if errors.Is(err, staff.ErrFactorNeeded) {
		return desk.Redirect(w, r, accountPath) // which asks for it
	}
	if problems := desk.Refusal(err); problems != nil {
		p.Problems, err = problems, nil
	}
	if err != nil {
		return err
	}
	return a.showSetup(w, r, v, p)
}

func (a *Area) setPassword(r *http.Request, v web.StaffVisit, password string) (p SetupPage, err error) {
	if problem := staff.PasswordProblem(password, v.Session); problem != "" {
		return SetupPage{Step: "choose", Page: desk.Page{Problems: []fault.Field{{Name: "new_password", Phrase: problem}}}}, nil
	}
	if err := a.Staff.SetPassword(r.Context(), v.Session, password); err != nil {
		return SetupPage{Step: "choose"}, err
	}
	return a.newApp(r, v)
}

func (a *Area) newApp(r *http.Request, v web.StaffVisit) (p SetupPage, err error) {
	p.Step = "app"
	if p.TOTP, err = a.Staff.NewTOTP(r.Context(), v.Session); err != nil {
		return p, err
	}
	p.QR, err = qrCode(p.TOTP.URL, a.View.Phrase(v.Language, "office.setup.qr"))
	return p, err
}

// added goes on after a factor was set up: a person without recovery codes gets them now.
func (a *Area) added(w http.ResponseWriter, r *http.Request, v web.StaffVisit, done string) error {
	factors, err := staff.FactorsOf(r.Context(), a.StaffDB, v.StaffID)
	if err != nil {
		return err
	}
	if factors.Recovery == 0 {
		return a.showNewCodes(w, r, v)
	}
	return desk.Redirect(w, r, accountPath+"?said="+done)
}

// showNewCodes makes new recovery codes and shows them once.
func (a *Area) showNewCodes(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	codes, err := a.Staff.NewRecoveryCodes(r.Context(), v.Session)
	if errors.Is(err, staff.ErrFactorNeeded) {
		return desk.Redirect(w, r, accountPath)
	}
	if err != nil {
		return err
	}
	v.Stage = staff.StageFull
	return a.showSetup(w, r, v, SetupPage{Step: "codes", Codes: codes})
}

// qrCode returns a QR code as a picture in the page's text: one path of squares.
func qrCode(text, title string) (template.HTML, error) {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return "", err
	}
	squares := code.Bitmap() // with its quiet margin
	var path strings.Builder
	for y, row := range squares {
		for x, dark := range row {
			if dark {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	n := len(squares)
	return template.HTML(fmt.Sprintf(`<svg class="qr" role="img" aria-label="%s" viewBox="0 0 %d %d"><rect class="qr-paper" width="%d" height="%d"/><path class="qr-ink" d="%s"/></svg>`,
		template.HTMLEscapeString(title), n, n, n, n, path.String())), nil
}
