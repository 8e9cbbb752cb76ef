using System.Text;

namespace ActorTrainer.Core.Progress;

/// <summary>What the names of values mean. A name that could mean two things is not listed.</summary>
internal static class FieldNames
{
    private static readonly string[] Steps =
    [
        "step",
        "global_step",
        "train_step",
        "training_step",
        "current_step",
        "_step",
        "trainer/global_step",
        "iter",
        "iteration",
        "global_iter",
        "global_iteration",
        "train_iter",
        "training_iteration",
        "it",
        "update",
        "num_updates",
    ];

    private static readonly string[] StepsOfTotal = ["steps", "iters", "iterations", "updates", "train_steps", "training_steps"];
    private static readonly string[] Epochs = ["epoch", "train_epoch", "training_epoch", "current_epoch", "ep"];
    private static readonly string[] Batches = ["batch", "batches", "batch_idx", "minibatch", "mini_batch", "train_batch"];
    private static readonly string[] Totals =
    [
        "total_steps",
        "max_steps",
        "num_training_steps",
        "total_iters",
        "max_iters",
        "total_iterations",
    ];
    private static readonly string[] EpochTotals = ["total_epochs", "max_epochs", "num_epochs", "num_train_epochs"];
    private static readonly string[] Evaluations =
    [
        "test",
        "testing",
        "val",
        "valid",
        "validation",
        "validate",
        "validating",
        "eval",
        "evaluate",
        "evaluating",
        "evaluation",
        "dev",
        "inference",
        "predict",
        "predicting",
        "sanity",
    ];

    private static readonly string[] Measures =
    [
        "loss",
        "losses",
        "acc",
        "accuracy",
        "acc1",
        "acc5",
        "top1",
        "top5",
        "ppl",
        "perplexity",
        "lr",
        "f1",
        "auc",
        "auroc",
        "bleu",
        "rouge",
        "mse",
        "mae",
        "rmse",
        "reward",
        "psnr",
        "ssim",
        "iou",
        "miou",
        "dice",
        "wer",
        "cer",
        "nll",
        "elbo",
        "bpb",
        "bpc",
    ];

    private static readonly string[] Adjectives =
    [
        "train",
        "training",
        "val",
        "valid",
        "validation",
        "test",
        "eval",
        "dev",
        "avg",
        "average",
        "mean",
        "total",
        "running",
        "moving",
        "smoothed",
        "final",
        "best",
        "last",
        "current",
        "lm",
        "mlm",
        "ce",
        "cls",
        "reg",
        "kl",
        "recon",
        "reconstruction",
        "policy",
        "value",
        "entropy",
        "actor",
        "critic",
        "generator",
        "discriminator",
        "epoch",
        "batch",
        "step",
        "top",
        "l1",
        "l2",
        "1",
        "5",
    ];

    public static bool IsStep(string name, bool ofTotal) => Steps.Contains(name) || (ofTotal && StepsOfTotal.Contains(name));

    public static bool IsEpoch(string name, bool ofTotal) => Epochs.Contains(name) || (ofTotal && name == "epochs");

    public static bool IsBatch(string name) => Batches.Contains(name);

    public static bool IsTotal(string name) => Totals.Contains(name);

    public static bool IsEpochTotal(string name) => EpochTotals.Contains(name);

    /// <summary>Whether a word says that what it stands with is no training.</summary>
    public static bool IsEvaluation(ReadOnlySpan<char> word)
    {
        foreach (string evaluation in Evaluations)
        {
            if (word.Equals(evaluation, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether any word of a text does.</summary>
    public static bool SaysEvaluation(ReadOnlySpan<char> text)
    {
        foreach (Range word in text.SplitAny(' ', '_', '-', ':', '/', '.', '[', ']', '(', ')', '=', '\t', '|', ','))
        {
            if (IsEvaluation(text[word]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a value of this name is one of those by which training is judged.</summary>
    /// <param name="name">As <see cref="Normal"/> gives it.</param>
    /// <param name="oneWord">Whether the script has written it as one word, such as <c>loss_box_reg</c>.</param>
    public static bool IsMetric(string name, bool oneWord)
    {
        string[] words = name.Split('_', '/', '@', '.');
        if (words.Contains("scale") || words.Contains("scaler"))
        {
            return false;
        }

        if (name is "grad_norm" or "gradient_norm" or "learning_rate" or "train/grad_norm" or "train/learning_rate")
        {
            return true;
        }

        return oneWord
            ? words.Any(word => Measures.Contains(word))
            : words.Any(word => Measures.Contains(word)) && words.All(word => Measures.Contains(word) || Adjectives.Contains(word));
    }

    /// <summary>A name in the form in which it is shown: lower case, words joined by '_'.</summary>
    public static string Normal(ReadOnlySpan<char> name)
    {
        StringBuilder normal = new(name.Length);
        foreach (char c in name)
        {
            bool gap = c is ' ' or '\t' or '-' or '_';
            if (!gap)
            {
                _ = normal.Append(char.ToLowerInvariant(c));
            }
            else if (normal.Length == 0 ? c == '_' : normal[^1] != '_')
            {
                _ = normal.Append('_');
            }
        }

        return normal.ToString();
    }
}
