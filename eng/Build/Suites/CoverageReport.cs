using System.Globalization;
using System.Xml.Linq;

namespace ActorTrainer.Build.Suites;

/// <summary>Line coverage of one assembly.</summary>
/// <param name="Covered">Lines that ran.</param>
/// <param name="Lines">Lines that can run.</param>
/// <param name="Uncovered">Files with lines that did not run, most of them first, with their number.</param>
internal sealed record CoverageReport(int Covered, int Lines, IReadOnlyList<(string File, int Lines)> Uncovered)
{
    /// <summary>In percent; 0 when there are no lines.</summary>
    public double Percent => Lines == 0 ? 0 : 100.0 * Covered / Lines;

    /// <summary>Parses a Cobertura file. A line that several classes share (lambdas, say) counts once.</summary>
    public static CoverageReport Parse(string xml, string assembly)
    {
        Dictionary<(string File, int Line), bool> lines = [];
        IEnumerable<XElement> classes = XElement
            .Parse(xml)
            .Descendants("package")
            .Where(package => (string?)package.Attribute("name") == assembly)
            .Descendants("class");
        foreach (XElement type in classes)
        {
            string file = ((string?)type.Attribute("filename") ?? "?").Replace('\\', '/');
            foreach (XElement line in type.Elements("lines").Elements("line"))
            {
                int number = int.Parse((string?)line.Attribute("number") ?? "0", CultureInfo.InvariantCulture);
                bool hit = (string?)line.Attribute("hits") != "0";
                lines[(file, number)] = hit || lines.GetValueOrDefault((file, number));
            }
        }

        (string File, int Lines)[] uncovered =
        [
            .. lines
                .Where(line => !line.Value)
                .GroupBy(line => line.Key.File)
                .Select(file => (file.Key, file.Count()))
                .OrderByDescending(file => file.Item2)
                .ThenBy(file => file.Key, StringComparer.Ordinal),
        ];
        return new CoverageReport(lines.Count(line => line.Value), lines.Count, uncovered);
    }
}
