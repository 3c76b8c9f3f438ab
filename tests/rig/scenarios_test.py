"""The scenarios of Ballast on one rig, so that its hosts boot once. Each file runs by itself, too.

usage: scenarios_test.py BALLAST [CLASS.TEST]...
"""
from balance_test import Balance  # noqa: F401 pylint: disable=unused-import
from failing_test import Failing  # noqa: F401 pylint: disable=unused-import
from immovable_test import Immovable  # noqa: F401 pylint: disable=unused-import
from join_test import Join  # noqa: F401 pylint: disable=unused-import
from kill_test import Kill  # noqa: F401 pylint: disable=unused-import
from leading_test import Leading  # noqa: F401 pylint: disable=unused-import
from master_test import Master  # noqa: F401 pylint: disable=unused-import
from scenario import main
from snapshot_test import Snapshot  # noqa: F401 pylint: disable=unused-import

if __name__ == "__main__":
    main()
