package web

import (
	"net/http"
	"time"
)

// Cookies of signing in. The browser that asks for a letter is known by one for as long as the letter is good.
const (
	challengeCookie = "asked"
	sessionCookie   = "session"
	languageCookie  = "language" // the language chosen on one's own pages
	challengeLife   = 10 * time.Minute
)

// hostCookie is a cookie's name: bound to the host where the connection allows it.
func (s *Server) hostCookie(name string) string {
	if s.BaseURL.Scheme == "https" {
		return "__Host-konbit-" + name
	}
	return "konbit-" + name
}

// keep sets a cookie that no script reads and no other site sends; life zero: until the browser is closed.
func (s *Server) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: s.hostCookie(name), Value: value, Path: "/", HttpOnly: true, MaxAge: int(life / time.Second),
		Secure: s.BaseURL.Scheme == "https", SameSite: http.SameSiteLaxMode,
	})
}

// drop takes a cookie back.
func (s *Server) deleteCookie(w http.ResponseWriter, name string) {
	s.setCookie(w, name, "", -time.Second)
}

// kept is a cookie's value, or "".
func (s *Server) cookie(r *http.Request, name string) string {
	cookie, err := r.Cookie(s.hostCookie(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}
