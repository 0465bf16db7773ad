// Package portal is the area of donors' own pages: signing in by email, what a donor gave, receipts, recurring gifts,
// statements, data, details. Recurring gifts and payment methods can also be reached without signing in, by links in
// emails (internal/mail/README.md lists what they may do; package letters has the other links).
//
// A page NAME has its address and who may use it in routes.go, its handler in NAME.go, NAME_get.go or NAME_post.go, its
// struct in NAME_page.go, its template and words in templates/portal. The area decides nothing about gifts and holds no
// SQL.
//
//	sign in:  POST /sign-in → email with a link and a code → POST /sign-in/link  (only in the browser that asked)
//	                                                       └ POST /sign-in/code  (in any browser)
//	          both open a session; its secret is in the session cookie
//
//	link:     GET /plans/open#… → POST /plans/open (token or code) → GET /plans/{ref}  for an hour, for this plan
//	          more than a link may do: POST /plans/{ref}/email → code → a session, and the change again
package portal
