"""Calls as files through OpenAI's Batch API: half the price, within a day, safe to kill.

settings    how large the files are, how often they are looked at
serving     cut, reserve, send, wait, read: behind the same seam as calls one by one
flights     the files under way, on disk from before they are sent until they are read
routes      the server's five routes
rows        a line a call, and a line an answer
"""

from solon.engines.endpoint.batches.serving import BatchFiles
from solon.engines.endpoint.batches.settings import Batches

__all__ = ["BatchFiles", "Batches"]
