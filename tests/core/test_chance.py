import torch
from torch import Tensor

from stackgan.core import chance


def test_every_place_of_every_stream_has_its_own_numbers() -> None:
    keys = {chance.key(seed, stream, place) for seed in (0, 1) for stream in ("a", "b") for place in (0, 1, 10)}
    assert len(keys) == 12
    assert all(0 <= key < 2**63 for key in keys)
    # Parts do not run together: (1, "2/3") against (1, "2", 3) is the one alias, and no stream ends in a number.
    assert chance.key(1, "23", 4) != chance.key(12, "3", 4) != chance.key(1, "2", 34)


def test_numbers_do_not_depend_on_what_was_drawn_before() -> None:
    def draw(place: int) -> Tensor:
        return chance.normal((4, 3), chance.generator(7, "noise", place))

    forth = [draw(place) for place in range(4)]
    torch.manual_seed(1)
    torch.randn(100)
    back = [draw(place) for place in reversed(range(4))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forth, back, strict=True))
    assert not torch.equal(forth[0], forth[1])


def test_keyed_draws_leave_the_global_generator_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    chance.normal((9,), chance.generator(0, "x"), truncated=True)
    chance.order(9, 0, 0)
    assert torch.equal(torch.rand(2), expected)


def test_the_truncated_normal_is_that_of_minus_two_to_two() -> None:
    x = chance.normal((200_000,), chance.generator(0, "t"), truncated=True)
    assert x.dtype == torch.float32
    assert x.abs().max() <= 2
    assert x.abs().max() > 1.99
    # Var of N(0,1) given |x| < 2: 1 - 2 * 2 * pdf(2) / (cdf(2) - cdf(-2)) = 1 - 4 * 0.053991 / 0.954500.
    assert abs(float(x.var()) - 0.77374) < 0.01
    assert abs(float(x.mean())) < 0.01


def test_the_plain_normal_reaches_beyond_two() -> None:
    x = chance.normal((200_000,), chance.generator(0, "t"))
    assert abs(float(x.var()) - 1) < 0.02
    assert abs(float((x.abs() > 2).float().mean()) - 0.0455) < 0.003


def test_rows_belong_to_their_keys() -> None:
    key_B = torch.tensor([5, 0, 9])
    rows = chance.normal_rows(key_B, 6, 0, "noise")
    assert torch.equal(rows.flip(0), chance.normal_rows(key_B.flip(0), 6, 0, "noise"))
    assert torch.equal(rows[1:2], chance.normal_rows(torch.tensor([0]), 6, 0, "noise"))
    assert not torch.equal(rows, chance.normal_rows(key_B, 6, 0, "epsilon"))
    assert not torch.equal(rows, chance.normal_rows(key_B, 6, 1, "noise"))
    assert chance.normal_rows(torch.tensor([], dtype=torch.int64), 6, 0, "noise").shape == (0, 6)
    assert chance.normal_rows(key_B, 400, 0, "noise", truncated=True).abs().max() <= 2


def test_orders_are_permutations_that_change_with_seed_and_epoch() -> None:
    orders = {(seed, epoch): chance.order(50, seed, epoch) for seed in (0, 1) for epoch in (0, 1)}
    assert all(sorted(order.tolist()) == list(range(50)) for order in orders.values())
    assert len({tuple(order.tolist()) for order in orders.values()}) == 4
    assert torch.equal(orders[1, 1], chance.order(50, 1, 1))


def test_between_two_noises_numbers_stay_standard_normal() -> None:
    here, there = (chance.normal((1, 100_000), chance.generator(0, name)) for name in ("here", "there"))
    share = torch.tensor([0.0, 0.3, 0.5, 1.0])
    way = chance.between(here.expand(4, -1), there.expand(4, -1), share)
    assert torch.equal(way[0], here[0])
    assert torch.allclose(way[3], there[0], atol=1e-6)
    assert torch.allclose(way[2], (here[0] + there[0]) / 2**0.5, atol=1e-6)
    assert torch.allclose(way.std(dim=1), torch.ones(4), atol=0.01)
