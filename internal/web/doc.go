// Package web is the kernel of the site: what all areas share. It wraps requests and errors, checks who may use a route
// and where a form comes from, and knows the reader's language and the donor's session. Each area of the site is a
// package of its own (give, portal, letters, hooks) that brings its routes. Areas import the kernel and never each
// other; the kernel imports no area; package app mounts them. The kernel decides nothing about gifts and holds no SQL.
//
//	request → clientAddress, observe, recoverer, secure → [forms of browsers: sameOrigin] → wrap (time limit, errors)
//	        → Permission.Check ┬ refused → Permission.Refuse, or the error's page
//	                          └ T, what was found → the route's limit ┬ reached → status 429
//	                                                                  └ the area's handler → page, redirect, or an error → problem.go
//
// A handler returns an error instead of writing one: problem.go alone turns errors into a status and words. Each
// refusal is in the security log: observe records by the status what nothing more precise was recorded for.
//
// Adding a page to an area touches at most five places:
//
//  1. AREA/routes.go: one row with method, pattern, wrap, permission and handler, and for what is not only read, its
//     limit. The row does not compile without a permission; TestEveryRouteNamesItsLimit reports a missing limit.
//  2. AREA/NAME_get.go or NAME_post.go (NAME.go if both are short): the handler; AREA/NAME_page.go: the page's struct
//     and its method Write.
//  3. templates/AREA/NAME.html: the template. It is found by its name, "AREA/NAME".
//  4. templates/AREA/LANGUAGE.yaml: its words, in each language; an area for staff has view.StaffLanguages only. The
//     program does not start if a language lacks a key that English has. A key that no file has is shown as it is;
//     TestEveryPhraseUsedExists in package view reports it.
//  5. testdata/routes.txt: who may use the route, by hand.
//
// A test opens each page that is read without a parameter by itself, as a visitor with its permission, and checks it by
// WCAG 2.2 AA. Pages with a parameter or a form have a line in page_visits_test.go.
//
// The handler of a page:
//
//	func (a *Area) tasksGet(w http.ResponseWriter, r *http.Request, v StaffVisit) error {
//		lang := view.StaffLanguage(v.Language) // only for staff
//		page := TasksPage{Frame: view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, view.StaffLanguages)}}
//		return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return page.Write(b, a.View) })
//	}
//
// A new area is a package with a doc.go that is mounted once, in buildServer of package app. A folder of templates that
// only staff read is also named in staffAreas of package view.
//
// A new kind of person (partner) is a Permission: a name and a check that returns what handlers know of the person. Those of
// staff are StaffSession, StaffIn (roles in the scope that the address names) and StaffSetup; they are named "staff: ROLE". A new
// kind of person is also a row in persons of open_test.go, which then opens the pages of all its roles.
package web
