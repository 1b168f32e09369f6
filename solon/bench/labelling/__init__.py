"""``solon label``: a judge answers the rows of a file or a data set, as parquet, never paid twice.

reading, candidates     rows of what people bring -> the answers that each holds
kinds                   what is asked of them, and the cells that an answer becomes
surveying, resuming     the first pass; what the folder was made of
labelling, writing      the second pass, in chunks; shards and the journal
estimating              what it would cost, without sending anything
"""

from solon.bench.labelling.estimating import estimate
from solon.bench.labelling.labelling import Labelling, label_file, label_in, labelling_on
from solon.bench.labelling.surveying import Rows

__all__ = ["Labelling", "Rows", "estimate", "label_file", "label_in", "labelling_on"]
