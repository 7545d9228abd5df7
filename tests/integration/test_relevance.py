"""What people mean is found: the judged queries on a real index."""

from lab.bench.relevance import by_language, figure, measure
from tests.pipeline import Pipeline

FLOOR = 0.9
FLOOR_OF_A_LANGUAGE = 0.85


def test_what_people_mean_is_found_in_four_languages(pipeline: Pipeline) -> None:
    measured = measure(pipeline.settings)

    print(f"nDCG@10 of {len(measured)} queries: {figure(measured):.3f}", by_language(measured))
    worst = [(round(each.ndcg, 2), each.query.q) for each in sorted(measured, key=lambda each: each.ndcg)[:5]]
    assert len(measured) >= 60
    assert figure(measured) >= FLOOR, worst
    assert all(value >= FLOOR_OF_A_LANGUAGE for value in by_language(measured).values()), worst
