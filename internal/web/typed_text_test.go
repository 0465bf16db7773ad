package web_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/web"
	"konbit/internal/workshop/testkit/pages"
)

// TestTypedText: a form that is not accepted is given back whole, with labels, and without what is secret or a choice's code.
func TestTypedText(t *testing.T) {
	v := pages.NewView(t)
	typed := func(form url.Values) string {
		r := httptest.NewRequest("POST", "/office/x", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return web.TypedText(r, v, "en")
	}
	require.Equal(t, "First name: Ana\nLast name: Pérez <b>\nName of the organisation: Casa\nEmail: ana@example.org\nPhone: 555\nCity: Lima\nWhy: Ana called", typed(url.Values{
		"first_name": {"Ana"}, "last_name": {"Pérez <b>"}, "organisation_name": {"Casa"}, "email": {"ana@example.org"}, "phone": {"555"}, "city": {"Lima"},
		"country": {"PE"}, "reason": {"Ana called"}, "do": {"details"}, "version": {"7"}, "organisation": {"csio"},
		"session": {"SECRET"}, "submission": {"SECRET"}, "code": {"SECRET"}, "assertion": {"SECRET"}, "hash": {"SECRET"}, "secret": {"SECRET"}, "file": {"SECRET"},
	}))
	require.Equal(t, "Amount (general): 10.50\nAmount (trees): 3\nAmount: 7\nWhy: The donor asked for it\nNote: twice\nonce", typed(url.Values{
		"part[trees]": {"3"}, "part[general]": {"10.50"}, "part[<i>]": {"1"}, "amount": {"7"}, "reason": {"requested"}, "note": {"twice\nonce"}, "step": {"check"}, "all": {"1"},
	}))
	require.Empty(t, typed(url.Values{"email": {"ana@example.org"}, "password": {"SECRET"}}))
	require.Len(t, []rune(typed(url.Values{"note": {strings.Repeat("é", 20000)}})), 8000)
	require.Empty(t, web.TypedText(httptest.NewRequest("GET", "/office/x?note=a", nil), v, "en"))
}
