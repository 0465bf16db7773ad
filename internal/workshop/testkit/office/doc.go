// Package office gives tests staff members with sessions and second factors, written by the owner's role, and acts of the
// server's role in their sessions.
package office
