"""A renewed token keeps the time of its sign-in (OpenID Connect Core 1.0, 12.2), and a sign-out everywhere ends renewal."""

import time
import unittest

from tests.pools import Pool, claims, refusal
from tests.running import Emulator

ADDRESS = "ada@example.com"


def signed_in(emulator: Emulator) -> tuple[Pool, dict]:
    pool = Pool(emulator)
    pool.invite(ADDRESS)
    pool.give_password(ADDRESS)
    return pool, pool.sign_in(ADDRESS)


def renewed_later(pool: Pool, tokens: dict) -> dict:
    """The tokens of a renewal in another second than that of the sign-in."""
    time.sleep(1.1)
    return pool.refresh(tokens["RefreshToken"])


class SignInTime(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))
        self.pool, self.tokens = signed_in(self.emulator)

    def test_renewed_tokens_say_when_their_user_signed_in(self) -> None:
        renewed = renewed_later(self.pool, self.tokens)
        for kind in ("IdToken", "AccessToken"):
            first, second = claims(self.tokens[kind]), claims(renewed[kind])
            self.assertEqual(second["auth_time"], first["auth_time"])
            self.assertGreater(second["iat"], first["iat"])
            self.assertEqual(second["origin_jti"], first["origin_jti"])
        again = self.emulator.client("cognito-idp").get_tokens_from_refresh_token(
            RefreshToken=self.tokens["RefreshToken"], ClientId=self.pool.client)["AuthenticationResult"]
        self.assertEqual(claims(again["IdToken"])["auth_time"], claims(self.tokens["IdToken"])["auth_time"])

    def test_a_sign_in_says_its_own_time_also_after_a_renewal(self) -> None:
        renewed_later(self.pool, self.tokens)
        self.assertGreater(claims(self.pool.sign_in(ADDRESS)["IdToken"])["auth_time"], claims(self.tokens["IdToken"])["auth_time"])

    def test_a_token_that_is_none_is_refused_as_before(self) -> None:
        self.assertEqual(refusal(self.pool.refresh, "none")[0], "NotAuthorizedException")

    def test_signing_out_everywhere_and_disabling_end_renewal(self) -> None:
        who = {"UserPoolId": self.pool.id, "Username": ADDRESS}
        self.pool.cognito.admin_user_global_sign_out(**who)
        self.assertEqual(refusal(self.pool.refresh, self.tokens["RefreshToken"])[0], "NotAuthorizedException")
        tokens = self.pool.sign_in(ADDRESS)
        self.pool.cognito.admin_disable_user(**who)
        self.assertEqual(refusal(self.pool.sign_in, ADDRESS)[0], "NotAuthorizedException")
        self.pool.cognito.admin_enable_user(**who)
        self.assertEqual(refusal(self.pool.refresh, tokens["RefreshToken"])[0], "NotAuthorizedException")


class WithoutTheMend(unittest.TestCase):
    def test_a_renewal_looks_like_a_sign_in(self) -> None:
        with Emulator(off="sign_in_time", AUTH="true") as emulator:
            pool, tokens = signed_in(emulator)
            renewed = renewed_later(pool, tokens)
            self.assertGreater(claims(renewed["IdToken"])["auth_time"], claims(tokens["IdToken"])["auth_time"])
