"""What a reader of a comparison's page may not know, in a line each: figures by their keys, verdicts, abbreviations."""

from fnmatch import fnmatchcase

MEANINGS = {
    "agreement/*/normalised": "colours named by the sentence and shown by the picture, read by a program: "
    "0 as with other pictures' sentences, 1 as on real pictures",
    "agreement/binding_errors/*": "share of pictures in which two parts have each other's colours",
    "agreement/unreadable/*": "share of what sentences mention that could not be read from the picture",
    "agreement/*/unreadable": "share of mentions that could not be read from the picture",
    "agreement/*": "share of what sentences mention that the picture shows, 0 to 1, read by a program",
    "accuracy/*": "share of real photographs whose class the judge names rightly, 0 to 1",
    "zero_shot/*/accuracy": "share of pictures whose class is found by its sentences alone, 0 to 1",
    "zero_shot/*/ap50": "mean share of right pictures among the 50 nearest to a class's sentences, 0 to 1",
    "told_apart/*": "share of pictures that the discriminator itself tells from real ones, 0 to 1",
    "diversity/within": "spread of a picture's pixels when only the noise changes: 0 where the noise is ignored, at most 1",
    "diversity/across": "spread of a picture's pixels when only the sentence changes: 0 where it is ignored, at most 1",
    "diversity/relative/*": "distance of pictures of one sentence over that of different ones: 1 where the sentence is ignored",
    "diversity/*": "distance of pictures of one sentence in the judge's features: 0 where the noise is ignored",
    "inception_score/*": "how sure the judge is of each picture's class, and how many classes there are: "
    "1 to its number of classes; grows with n",
    "fid/*": "distance of features' means and covariances from real pictures', from 0; falls with n",
    "frechet/*": "distance of features' means and covariances from real pictures', from 0; falls with n",
    "kernel_distance/*": "distance of features from real pictures', about 0 where they are alike; moves with no n",
    "precision_recall/precision/*": "share of drawn pictures that lie among real ones, 0 to 1",
    "precision_recall/recall/*": "share of real pictures that lie among drawn ones, 0 to 1",
    "precision_recall/density/*": "how densely real pictures lie around drawn ones, about 1 where they are alike",
    "precision_recall/coverage/*": "share of real pictures with a drawn one close by, 0 to 1",
    "coverage/*": "how unlike real pictures the drawn ones vary in what sentences leave open: 0 alike, 1 no value in common",
    "memorisation/authentic/*": "share of drawings farther from their nearest training picture than that one from its own nearest",
    "memorisation/*": "z of drawings lying farther from training pictures than unseen real ones do: far below 0 is copying",
    "r_precision/*": "share of pictures nearer to their own sentence than to 99 others; guessing: 0.01",
    "location/slope_*": "how far the drawn box moves when the asked one does: 1 follows it, 0 stays",
    "location/found/*": "share of drawings that overlap the asked box by half or more",
    "location/pck/*": "share of parts near their asked place, 0 to 1",
    "location/*": "overlap of the box read from the drawing with the asked one, 0 to 1",
}
"""By patterns as in a shell; the first that fits counts. A figure that is not here stands without a word."""

VERDICTS = (
    "Reproduced: the 95 % interval of the difference lies on the paper's side of 0; reversed: on the other side; "
    "holds on ...: on the paper's side, but for other pictures than the paper's; open: the interval holds 0, or there is none"
)

TERMS = {
    "variant": "runs that differ only in their seed; named by the settings that tell it from the others",
    "[low, high]": "95 % interval of the mean over seeds, by Student's t; it says nothing of other data or longer training",
    "Stage-I, Stage-II": "StackGAN's two networks: the first draws from sentence and noise, the second redraws that larger",
    "CA": "conditioning augmentation: the sentence's embedding is drawn from a normal distribution around itself",
    "text twice": "Stage-II reads the sentence again beside Stage-I's picture",
    "network, recipe": "sizes of the networks; how they are trained (losses, rates, regularisation)",
    "images seen": "training pictures shown so far, repetitions counted: the time axis of all curves",
    "judge": "the classifier through whose eyes pictures are scored; scores of different judges do not compare",
    "px": "pixels a side",
}


def meaning(key: str) -> str:
    """Of a figure's key; '' where none is known."""
    return next((text for pattern, text in MEANINGS.items() if fnmatchcase(key, pattern)), "")
