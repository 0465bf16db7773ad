// Package web is the door: routes, forms, pages, and where webhooks come in.
//
// A handler is named noun_verb.go, reads its request, calls one use case, fills one page, and returns an
// error instead of writing one; problem.go alone turns errors into a status and words. routes.go is the one
// table of routes. visit.go alone knows who is signed in: every route of a donor's own goes through it, and every route has a
// rule in matrix_test.go. The room decides nothing about gifts and holds no SQL.
package web
