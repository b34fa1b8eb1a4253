"""The plans of our stages."""

from collections.abc import Mapping

from stackgan.stage.plan import Below, Part, Plan, Settings


class StackGANPlan(Plan):
    """Both stages of StackGAN, and Stage-I's networks alone."""

    @classmethod
    def parts(cls, node: Settings, sizes: Settings) -> dict[str, Part]:
        """See Plan."""
        both = {"text_dim": sizes["text_dim"], "resolution": node["resolution"]}
        drawing = both | {"conditioning_augmentation": node["conditioning_augmentation"]}
        if node["name"] == "stage2":
            drawing |= {"text_twice": node["text_twice"], "first_resolution": 64}
        networks = node["network"]["stage2" if node["name"] == "stage2" else "stage1"]
        return _two_players(networks, "stage.network", drawing, both)

    @classmethod
    def below(cls, node: Settings) -> Below | None:
        """Stage-II's Stage-I."""
        if node["name"] != "stage2":
            return None
        same = ("network.name", "recipe.name", "conditioning_augmentation")
        return Below("first", whole=False, stage="stage1", same=same, needs={"resolution": 64})


class GanClsPlan(Plan):
    """GAN-CLS and its children."""

    @classmethod
    def parts(cls, node: Settings, sizes: Settings) -> dict[str, Part]:
        """See Plan."""
        both = {"text_dim": sizes["text_dim"], "resolution": node["resolution"]}
        return _two_players(node["reed"], "stage.reed", both, both)


class GawwnPlan(Plan):
    """GAWWN with a box or with parts, and its part generator: networks lie under the stage's own name."""

    @classmethod
    def parts(cls, node: Settings, sizes: Settings) -> dict[str, Part]:
        """See Plan."""
        text = {"text_dim": sizes["text_dim"]}
        return _two_players(node[node["name"]], f"stage.{node['name']}", text, text)


class JudgePlan(Plan):
    """A classifier."""

    @classmethod
    def parts(cls, node: Settings, sizes: Settings) -> dict[str, Part]:
        """See Plan. sizes: also classes, one of which each output stands for."""
        classes = {"classes": len(sizes["classes"])}
        return {"classifier": Part(node["classifier"]["network"], "stage.classifier.network", "classifier", classes)}


class StyleEncoderPlan(Plan):
    """A style encoder on a frozen generator."""

    @classmethod
    def parts(cls, node: Settings, sizes: Settings) -> dict[str, Part]:
        """See Plan. sizes: also noise_dim, the generator's."""
        given = {"noise_dim": sizes["noise_dim"], "resolution": node["resolution"]}
        return {"encoder": Part(node["style"]["network"], "stage.style.network", "style encoder", given)}

    @classmethod
    def below(cls, node: Settings) -> Below:
        """Any system that draws sentences from noise, at this resolution."""
        return Below("generator", whole=True, same=("resolution",))


class TextEncoderPlan(Plan):
    """A text network beside a map of picture features."""

    @classmethod
    def parts(cls, node: Settings, sizes: Settings) -> dict[str, Part]:
        """See Plan."""
        encoder = node["encoder"]["network"]
        text = {"text_dim": sizes["text_dim"]} if "recurrence" not in encoder else {}
        return {
            "text": Part(encoder, "stage.encoder.network", "text", text),
            "image_map": Part(node["image_map"], "stage.image_map", "image map", {"feature_dim": sizes["feature_dim"]}),
        }


def _two_players(networks: Settings, path: str, drawing: Settings, looking: Settings) -> dict[str, Part]:
    return {
        "network": Part(networks["generator"], f"{path}.generator", "generator", drawing),
        "discriminator": Part(networks["discriminator"], f"{path}.discriminator", "discriminator", looking),
    }


PLANS: Mapping[str, type[Plan]] = {
    "stackgan.stage.gawwn.GawwnBox": GawwnPlan,
    "stackgan.stage.gawwn.GawwnParts": GawwnPlan,
    "stackgan.stage.gawwn_part_generator.PartGeneratorStage": GawwnPlan,
    "stackgan.stage.judge.JudgeStage": JudgePlan,
    "stackgan.stage.reed.GanCls": GanClsPlan,
    "stackgan.stage.stackgan.StackGAN": StackGANPlan,
    "stackgan.stage.style_encoder.StyleEncoderStage": StyleEncoderPlan,
    "stackgan.stage.text_encoder.TextEncoderStage": TextEncoderPlan,
}
"""By `_target_`, for those who read settings without importing the stage. One that is not here has its plan in its own class."""
