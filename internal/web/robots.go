package web

import "net/http"

// robotsPath is where RFC 9309 puts the file.
const robotsPath = "/robots.txt"

// robotsHeader tells search engines whether to list a page.
const robotsHeader = "X-Robots-Tag"

// robots lets search engines read the site. Pages that are no search result say so themselves (see Route.Indexed): an
// engine that may not read a page does not see that it must not list it, and a list of private paths here would only
// advertise them.
func (k *Kernel) robots(w http.ResponseWriter, _ *http.Request, _ Anyone) error {
	plain(w, http.StatusOK, "User-agent: *\nDisallow: /hooks/\n")
	return nil
}
