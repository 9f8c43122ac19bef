"""What AdminCreateUser with RESEND and AdminResetUserPassword do depends on where the user stands, as in Cognito."""

import json
import re
import unittest
import urllib.request

from tests.pools import PASSWORD, Pool, refusal
from tests.running import Emulator

ADDRESS = "ada@example.com"


def invitations(emulator: Emulator) -> list[str]:
    """The temporary passwords of the messages sent, oldest first."""
    with urllib.request.urlopen(f"{emulator.url}/_ministack/ses/messages") as response:
        messages = [message for account in json.load(response)["messages"].values() for message in account]
    return [re.search(r"temporary password is (\S+)\.$", message["BodyText"]).group(1)
            for message in messages if message["Type"] == "CognitoInvitationMessage"]


class UserStates(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))
        self.pool = Pool(self.emulator)
        self.pool.invite(ADDRESS)

    def test_an_invitation_sent_again_has_a_new_password_and_the_old_one_is_gone(self) -> None:
        self.pool.resend(ADDRESS)
        first, second = invitations(self.emulator)
        self.assertNotEqual(first, second)
        self.assertEqual(refusal(self.pool.sign_in, ADDRESS, first)[0], "NotAuthorizedException")
        self.assertEqual(self.pool.sign_in(ADDRESS, second)["ChallengeName"], "NEW_PASSWORD_REQUIRED")

    def test_the_new_password_may_be_given_and_must_be_a_good_one(self) -> None:
        self.pool.resend(ADDRESS, TemporaryPassword=PASSWORD)
        self.assertEqual(self.pool.sign_in(ADDRESS)["ChallengeName"], "NEW_PASSWORD_REQUIRED")
        self.assertEqual(refusal(self.pool.resend, ADDRESS, TemporaryPassword="short")[0], "InvalidPasswordException")
        self.assertEqual(self.pool.sign_in(ADDRESS)["ChallengeName"], "NEW_PASSWORD_REQUIRED", "and nothing changed")

    def test_who_has_a_password_of_their_own_is_not_invited_again(self) -> None:
        self.pool.give_password(ADDRESS)
        self.assertEqual(refusal(self.pool.resend, ADDRESS)[0], "UnsupportedUserStateException")
        self.pool.reset(ADDRESS)
        self.assertEqual(refusal(self.pool.resend, ADDRESS)[0], "UnsupportedUserStateException")
        self.assertEqual(refusal(self.pool.resend, "eve@example.com")[0], "UserNotFoundException")
        self.assertEqual(len(invitations(self.emulator)), 1)

    def test_a_password_is_reset_for_who_has_one(self) -> None:
        self.pool.give_password(ADDRESS)
        for _ in range(2):
            self.pool.reset(ADDRESS)
            self.assertEqual(self.pool.user(ADDRESS)["UserStatus"], "RESET_REQUIRED")
            self.assertEqual(refusal(self.pool.sign_in, ADDRESS)[0], "PasswordResetRequiredException")

    def test_an_invited_user_keeps_the_invitation(self) -> None:
        code, message = refusal(self.pool.reset, ADDRESS)
        self.assertEqual((code, message), ("NotAuthorizedException", "User password cannot be reset in the current state."))
        self.assertEqual(self.pool.user(ADDRESS)["UserStatus"], "FORCE_CHANGE_PASSWORD")
        self.assertEqual(self.pool.sign_in(ADDRESS, invitations(self.emulator)[0])["ChallengeName"], "NEW_PASSWORD_REQUIRED")

    def test_a_disabled_user_is_enabled_first(self) -> None:
        self.pool.give_password(ADDRESS)
        who = {"UserPoolId": self.pool.id, "Username": ADDRESS}
        self.pool.cognito.admin_disable_user(**who)
        self.assertEqual(refusal(self.pool.reset, ADDRESS), ("NotAuthorizedException", "User is disabled."))
        self.pool.cognito.admin_enable_user(**who)
        self.pool.reset(ADDRESS)


class WithoutTheMend(unittest.TestCase):
    def test_every_state_will_do(self) -> None:
        with Emulator(off="user_states", AUTH="true") as emulator:
            pool = Pool(emulator)
            pool.invite(ADDRESS)
            pool.resend(ADDRESS)
            self.assertEqual(len(set(invitations(emulator))), 1)
            pool.reset(ADDRESS)
            self.assertEqual(pool.user(ADDRESS)["UserStatus"], "RESET_REQUIRED")
            pool.give_password(ADDRESS)
            pool.resend(ADDRESS)
