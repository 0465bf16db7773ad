package web

import (
	"net/http"
	"time"
)

// Names of the cookies of more than one area, without the prefix that hostCookie adds.
const (
	SessionCookie  = "session"
	LanguageCookie = "language"
	// KnownCookie marks a browser in which addresses were proved: the limits that strangers can use up do not apply to
	// it. It stays after signing out. It says nothing about the person and opens nothing.
	KnownCookie = "known"
)

// hostCookie returns a cookie's full name. Over HTTPS the prefix __Host- binds it to this host (RFC 6265bis, 4.1.3.2).
func (k *Kernel) hostCookie(name string) string {
	if k.BaseURL.Scheme == "https" {
		return "__Host-konbit-" + name
	}
	return "konbit-" + name
}

// SetCookie sets a cookie that scripts cannot read and that forms of other sites do not send. With life 0 it lasts
// until the browser is closed.
func (k *Kernel) SetCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, k.cookie(name, value, life, http.SameSiteLaxMode))
}

func (k *Kernel) cookie(name, value string, life time.Duration, sent http.SameSite) *http.Cookie {
	return &http.Cookie{
		Name: k.hostCookie(name), Value: value, Path: "/", HttpOnly: true, MaxAge: int(life / time.Second),
		Secure: k.BaseURL.Scheme == "https", SameSite: sent,
	}
}

// SetStrictCookie is SetCookie for a cookie that browsers send from our own pages only, and not with a link of an email.
func (k *Kernel) SetStrictCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, k.cookie(name, value, life, http.SameSiteStrictMode))
}

// DeleteCookie makes the browser forget a cookie.
func (k *Kernel) DeleteCookie(w http.ResponseWriter, name string) {
	k.SetCookie(w, name, "", -time.Second)
}

// Cookie returns a cookie's value; empty if the request has none.
func (k *Kernel) Cookie(r *http.Request, name string) string {
	cookie, err := r.Cookie(k.hostCookie(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}
