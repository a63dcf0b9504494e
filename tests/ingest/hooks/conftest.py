from tests.hooks.conftest import listener

__all__ = ["listener"]
