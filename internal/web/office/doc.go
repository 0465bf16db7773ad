// Package office is the area of staff: how they sign in, their own account, who holds which role, and where they work.
//
//	/office/sign-in      passkey, or email, password and code
//	/office/invitation   the link of an invitation or a reset: its secret is behind the #
//	/office/setup        the first factor, and the recovery codes
//	/office              one scope: leads there; several: a choice
//	/office/account      ways to sign in, own sessions
//	/office/{entity}     a scope; ?org= narrows it to one organisation. Who works for only one organisation of the entity is led to it
//	…/people             who holds which role; with two admins a change of a role is a request, which the other one approves
//	…/audit              what was done (package auditlog)
//
// A form that needs a fresh factor calls prove first. It shows the same form again, with what was typed and a prompt, until
// a factor is right. See factor.go.
//
// Pages work without JavaScript, except for the passkey. All times are the database's, shown by Kernel.Shown.
package office
