package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"konbit/internal/workshop/mailcatch"
)

// What staff did before the demo's visitor came, on the pages as anybody would: requests that wait for a second person, and notes.

// asked is a refund above the limit of one person.
type asked struct {
	by, find   string // the member, and what finds the gift in the list
	fund       string
	amount     string
	note       string // with the request, and on the gift
	noteOnGift string
}

var askedRefunds = []asked{
	{by: "diego@staff.example", find: "1200", fund: "general", amount: "1080", note: "Quiso dar $120 y escribió un cero de más.",
		noteOnGift: "Llamó el lunes: quiso dar $120. Pedí el reembolso de $1,080."},
	{by: "abel@staff.example", find: "2500", fund: "global-peasant-solidarity", amount: "500", note: "Her foundation sends $500 of it itself.",
		noteOnGift: "She called: $500 of it come from her foundation in January."},
}

// workAtTheDesks signs members in and asks for their refunds.
func (d *demo) workAtTheDesks(ctx context.Context) error {
	for _, a := range askedRefunds {
		for _, login := range d.staff {
			if login.Email != a.by {
				continue
			}
			if err := d.ask(ctx, login, a); err != nil {
				return fmt.Errorf("%s: %w", a.by, err)
			}
		}
	}
	return nil
}

var firstRow = regexp.MustCompile(`(?s)<tr data-row.*?href="([^"?]+)`)

// signIn signs a member in. A member whose code was used a moment ago waits for the next one.
func (d *demo) signIn(ctx context.Context, email string) (*browser, error) {
	at := slices.IndexFunc(d.staff, func(l mailcatch.Login) bool { return l.Email == email })
	if at < 0 {
		return nil, fmt.Errorf("%s is no member", email)
	}
	login := d.staff[at]
	b, err := newBrowser(d.settings["BASE_URL"])
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		code, err := totp.GenerateCode(login.Secret, time.Now())
		if err != nil {
			return nil, err
		}
		_, status, err := b.ask(ctx, http.MethodPost, "/office/sign-in", url.Values{"email": {login.Email}, "password": {login.Password}, "code": {code}})
		if err != nil {
			return nil, err
		}
		if status == http.StatusOK {
			return b, nil
		}
		if try == 3 {
			return nil, fmt.Errorf("signing in is answered by %d", status)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(15 * time.Second):
		}
	}
}

func (d *demo) ask(ctx context.Context, login mailcatch.Login, a asked) error {
	b, err := d.signIn(ctx, login.Email)
	if err != nil {
		return err
	}
	gift, err := b.giftOf(ctx, login.Entity, a.find)
	if err != nil {
		return err
	}
	page, _, err := b.ask(ctx, http.MethodGet, gift, nil)
	if err != nil {
		return err
	}
	note := hiddenOf(page, `action="[^"]*/notes`)
	note.Set("text", a.noteOnGift)
	if _, err := b.submit(ctx, "/office/"+login.Entity+"/notes", note); err != nil {
		return err
	}
	var form url.Values
	for try := 0; form.Get("submission") == ""; try++ { // before its fee is booked, a gift cannot be refunded
		if page, _, err = b.ask(ctx, http.MethodGet, gift+"/refund", nil); err != nil || try == 60 {
			return cmp.Or(err, errors.New("there is no form for the refund"))
		}
		if form = hiddenOf(page, `id="refund"`); form.Get("submission") == "" {
			time.Sleep(500 * time.Millisecond)
		}
	}
	form.Set("part["+a.fund+"]", a.amount)
	form.Set("reason", "mistake")
	form.Set("note", a.note)
	page, err = b.submit(ctx, gift+"/refund", form)
	if err == nil && !strings.Contains(page, `id="withdraw"`) {
		err = errors.New("the refund does not wait for a second person")
	}
	return err
}

// giftOf returns the address of the newest gift of an amount. Its event may still wait to be applied.
func (b *browser) giftOf(ctx context.Context, entity, amount string) (string, error) {
	for range 60 {
		page, _, err := b.ask(ctx, http.MethodGet, "/office/"+entity+"/gifts?by=amount&q="+amount, nil)
		if err != nil {
			return "", err
		}
		if row := firstRow.FindStringSubmatch(page); row != nil {
			return html.UnescapeString(row[1]), nil
		}
		time.Sleep(500 * time.Millisecond)
	}
	return "", fmt.Errorf("no gift of %s is in the list", amount)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// hiddenOf returns the hidden fields of the form whose tag matches a pattern.
func hiddenOf(page, pattern string) url.Values {
	form := url.Values{}
	at := regexp.MustCompile(`<form[^>]*` + pattern).FindStringIndex(page)
	if at == nil {
		return form
	}
	inside, _, _ := strings.Cut(page[at[0]:], "</form>")
	for _, field := range hidden.FindAllStringSubmatch(inside, -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	return form
}
