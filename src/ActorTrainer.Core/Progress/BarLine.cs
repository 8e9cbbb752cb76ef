using System.Globalization;
using System.Text.RegularExpressions;

namespace ActorTrainer.Core.Progress;

/// <summary>Reads the bars of tqdm (Hugging Face, Lightning) and of Keras.</summary>
internal static class BarLine
{
    private const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private static readonly Regex Tqdm = new(
        @"^(?<label>[^|]*?)\s*(?<percent>[0-9]{1,3})%\|[^|\[\]]*\|\s*(?<step>\d+)/(?<total>\d+)\s*"
            + @"\[[\d:]+<[\d:?]+(,\s*(?<rate>[^\],]+))?(,\s*(?<rest>[^\]]*))?\]",
        Linear
    );

    private static readonly Regex Keras = new(@"^(?<step>\d+)/(?<total>\d+)\s+(\[[=>.]+\]|[━╸╺─]+)\s*(-\s*)?(?<rest>.*)$", Linear);

    private static readonly Regex Label = new(
        @"^(train(ing)?[\s:|-]*)?\[?epochs?[\s:#=\[(]*(?<epoch>\d+)(\s*(/|of)\s*(?<epochs>\d+))?[\])]?[\s:|,-]*(train(ing)?)?$",
        Linear | RegexOptions.IgnoreCase
    );

    private static readonly string[] Counted =
    [
        "it",
        "step",
        "steps",
        "batch",
        "batches",
        "iter",
        "iters",
        "epoch",
        "epochs",
        "update",
        "updates",
    ];
    private static readonly string[] Names =
    [
        "train",
        "training",
        "fit",
        "fitting",
        "step",
        "steps",
        "iter",
        "iters",
        "iteration",
        "iterations",
        "updates",
        "progress",
    ];

    /// <summary>What the bar says; null: there is none, or it is no bar of training.</summary>
    /// <param name="text">The line.</param>
    /// <param name="length">How much of the line is the bar.</param>
    public static LineReading? Read(string text, out int length)
    {
        length = 0;
        if (text.Contains("%|", StringComparison.Ordinal))
        {
            Match bar = Tqdm.Match(text);
            length = bar.Length;
            return bar.Success ? ReadTqdm(bar) : null;
        }

        if (text.Length == 0 || !char.IsAsciiDigit(text[0]))
        {
            return null;
        }

        Match match = Keras.Match(text);
        length = match.Length;
        return match.Success && Counts(match, out long step, out long total)
            ? Beside(KerasFields(match.Groups["rest"].Value)) with
            {
                Step = step,
                Total = total,
                Part = true,
                Source = "keras",
                Trust = Trust.NamedBar,
            }
            : null;
    }

    private static LineReading? ReadTqdm(Match match)
    {
        string label = match.Groups["label"].Value.Trim().TrimEnd(':').TrimEnd();
        if (
            !Counts(match, out long step, out long total)
            || total == 0
            || Math.Abs((100.0 * step / total) - int.Parse(match.Groups["percent"].Value, CultureInfo.InvariantCulture)) > 1
            || !CountsSteps(match.Groups["rate"])
            || FieldNames.SaysEvaluation(label)
        )
        {
            return null;
        }

        LineReading reading = Beside(match.Groups["rest"].Value) with { Step = step, Total = total, Source = "bar", Trust = Trust.Bar };
        if (label.Length == 0)
        {
            return reading;
        }

        if (Label.Match(label) is { Success: true } epoch)
        {
            return WithEpoch(reading, epoch);
        }

        if (label.Equals("epoch", StringComparison.OrdinalIgnoreCase) || label.Equals("epochs", StringComparison.OrdinalIgnoreCase))
        {
            return reading with { Step = null, Total = null, Epoch = step, TotalEpochs = total };
        }

        if (Names.Contains(label, StringComparer.OrdinalIgnoreCase))
        {
            return reading with { Source = $"bar {label}", Trust = Trust.NamedBar };
        }

        // A description that the script keeps up to date: "epoch 3 loss 0.31: 45%|…".
        return FieldLine.Read(label) is { Step: null } said
            ? reading with
            {
                Epoch = said.Epoch,
                TotalEpochs = said.TotalEpochs,
                Part = said.Epoch is not null,
                Metrics = said.Metrics.Count > 0 ? said.Metrics : reading.Metrics,
                Source = "bar of fields",
            }
            : null;
    }

    private static LineReading? WithEpoch(LineReading reading, Match label)
    {
        if (!long.TryParse(label.Groups["epoch"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long epoch))
        {
            return null;
        }

        bool known = long.TryParse(label.Groups["epochs"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long epochs);
        return reading with
        {
            Epoch = epoch,
            TotalEpochs = known && epochs >= epoch ? epochs : null,
            Part = true,
            Source = "bar of epoch",
            Trust = Trust.NamedBar,
        };
    }

    /// <summary>Whether it counts steps and not bytes, files or examples: what stands in its rate.</summary>
    private static bool CountsSteps(Group rate)
    {
        if (!rate.Success)
        {
            return true;
        }

        string text = rate.Value.Trim();
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string unit = slash < 0 ? "" : text[..slash].TrimStart('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '?', ' ');
        string per = slash < 0 ? "" : text[(slash + 1)..];
        return (per == "s" && Counted.Contains(unit)) || (unit is "s" or "ms" && Counted.Contains(per));
    }

    private static bool Counts(Match match, out long step, out long total)
    {
        total = 0;
        return long.TryParse(match.Groups["step"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out step)
            && long.TryParse(match.Groups["total"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out total)
            && step <= total;
    }

    private static LineReading Beside(string fields) =>
        new() { Metrics = FieldLine.Read(fields)?.Metrics ?? new Dictionary<string, double>() };

    /// <summary>Without the times that stand first: "10s 30ms/step - ".</summary>
    private static string KerasFields(string rest)
    {
        int dash = rest.IndexOf(" - ", StringComparison.Ordinal);
        return dash >= 0 ? rest[(dash + 3)..] : "";
    }
}
